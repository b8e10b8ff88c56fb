/** Who said what, heard by a real recogniser: spoken lines on tracks of their own, transcribed by a local command. */
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { commandTranscriber } from '../../../src/recorder/after/transcript/providers/command.ts';
import { parseTranscript } from '../../../src/recorder/after/vtt/transcript.ts';
import { testFfmpeg } from '../../support/barcode-ffmpeg.ts';
import { joins, talks } from './events.ts';
import { subtitlesOf } from './finished-file.ts';
import { Meeting } from './meeting.ts';
import { makeSpeech } from './recording-fixture.ts';

const meeting = new Meeting();

function missing(): string | undefined {
  if (spawnSync('pocketsphinx_continuous', ['-h']).error)
    return '(needs pocketsphinx and pocketsphinx-en-us)';
  const filters = spawnSync(testFfmpeg(), ['-hide_banner', '-filters'], { encoding: 'utf8' }).stdout;
  return / flite /.test(filters) ? undefined : '(needs an ffmpeg with flite)';
}

test.skipIf(missing() !== undefined)(`who said what, and when ${missing() ?? ''}`, async () => {
  const path = await meeting.record({
    events: [
      joins('a', 'Ada', 0),
      joins('b', 'Ben', 0),
      ...talks(2, 'a', 'a.mka'),
      ...talks(21, 'b', 'b.mka'),
    ],
    tracks: async (folder) => {
      const lines = [
        { at: 0, text: 'the meeting will begin on monday' },
        { at: 14, text: 'we have ten people in the house' },
      ];
      await makeSpeech(join(folder, 'a.mka'), lines, 'slt');
      await makeSpeech(join(folder, 'b.mka'), [{ at: 0, text: 'my father went home at seven' }], 'rms');
    },
  });
  const recogniser = fileURLToPath(new URL('pocketsphinx.ts', import.meta.url));
  const transcriber = commandTranscriber({ command: `"${process.execPath}" "${recogniser}" {input}` });
  await meeting.run(path, { transcriber });
  const cues = parseTranscript(await readFile(join(path, 'transcript.vtt'), 'utf8'));
  expect(cues.map(({ speaker }) => speaker)).toEqual(['Ada', 'Ada', 'Ben']);
  expect(cues.map(({ text }) => text)).toEqual([
    expect.stringMatching(/meeting.*begin.*monday/) as string,
    expect.stringMatching(/we have ten people/) as string,
    expect.stringMatching(/father went home/) as string,
  ]);
  // A word begins where it is spoken: the voices start within a quarter of a second.
  const starts = cues.map(({ startMs }) => startMs / 1_000);
  [2, 16, 21].forEach((second, index) => {
    expect(starts[index]).toBeGreaterThan(second - 0.1);
    expect(starts[index]).toBeLessThan(second + 0.4);
  });
  expect(await subtitlesOf(join(path, 'recording.mp4'))).toMatch(/Ben: my father went home/);
});
