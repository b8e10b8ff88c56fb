/** SubRip, which ffmpeg makes subtitle tracks of. */
import { timestamp } from './timestamp.ts';
import { oneLine, type VttCue } from './write.ts';

/** An SRT file; the lines of a cue's text stay lines. Braces and angle brackets, which are markup there, are replaced. */
export function writeSrt(cues: readonly VttCue[]): string {
  return cues
    .map(({ startMs, endMs, text }, index) => {
      const lines = text.split('\n').map((line) => oneLine(line).replace(/[<{]/g, '(').replace(/[>}]/g, ')'));
      return `${index + 1}\n${timestamp(startMs, ',')} --> ${timestamp(endMs, ',')}\n${lines.join('\n')}\n`;
    })
    .join('\n');
}
