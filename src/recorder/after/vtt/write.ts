/** WebVTT (W3C, https://www.w3.org/TR/webvtt1/) of chapters, speech and pictures. */
import { timestamp } from './timestamp.ts';

export interface VttCue {
  readonly startMs: number;
  readonly endMs: number;
  /** Who says it. */
  readonly speaker?: string;
  readonly text: string;
}

/** A WebVTT file. Text and names are escaped, so none can end its cue or begin a tag. */
export function writeVtt(cues: readonly VttCue[]): string {
  const blocks = cues.map(({ startMs, endMs, speaker, text }) => {
    const voice = speaker === undefined ? '' : `<v ${escapeText(oneLine(speaker))}>`;
    return `${timestamp(startMs)} --> ${timestamp(endMs)}\n${voice}${escapeText(oneLine(text))}\n`;
  });
  return ['WEBVTT\n', ...blocks].join('\n');
}

/** Line ends and control characters become spaces: a blank line would end the cue. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim();
}

const escapeText = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
