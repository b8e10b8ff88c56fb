/** Faults while recordings are processed: what crashes leave, kills, and providers of transcripts that fail. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parseTranscript } from '../../../src/recorder/after/vtt/transcript.ts';
import { RecordingFolder, readRecording } from '../../../src/recorder/folder/index.ts';
import { testFfmpeg } from '../../support/barcode-ffmpeg.ts';
import { readFinished } from './finished-file.ts';
import { ALL_DONE, CHAPTERS, Meeting, resultsIn, statesOf } from './meeting.ts';
import { STARTED_AT } from './recording-fixture.ts';

const meeting = new Meeting();

describe('what a crash leaves', () => {
  test.each([0.9, 0.5001, 0.27])(
    'of a file that ends after %d of it, all whole pictures are kept',
    async (part) => {
      const path = await meeting.record();
      const live = join(path, 'live.mp4');
      const { size } = await stat(live);
      await truncate(live, Math.round(size * part));
      const { steps } = await meeting.run(path);
      expect(statesOf(steps)).toMatchObject({ finish: 'done', thumbnails: 'done' });
      const { frames, seconds } = await readFinished(join(path, 'recording.mp4'));
      // A fragment has a second, and sound takes the same room in each.
      expect(seconds).toBeGreaterThan(45 * part - 2);
      expect(frames).toBeGreaterThan(450 * part - 20);
    },
  );

  test('of a file without a picture is said, and the next run tries again', async () => {
    const path = await meeting.record();
    await truncate(join(path, 'live.mp4'), 600);
    const { steps, isDone } = await meeting.run(path, { transcriber: await meeting.openAi() });
    expect(isDone).toBe(false);
    expect(steps.finish).toMatchObject({
      state: 'failed',
      attempts: 1,
      error: expect.stringMatching(/live\.mp4/) as string,
    });
    expect(statesOf(steps)).toMatchObject({ chapters: 'done', transcript: 'done' });
    expect((await readRecording(path)).state).toBe('stopped');
    expect((await meeting.run(path)).steps.finish.attempts).toBe(2);
  });

  test('a recorder that died has ended where it last gave a sign of life', async () => {
    const path = await meeting.record();
    const folder = await RecordingFolder.open(path);
    await folder.update({ state: 'paused', pauses: [{ from: STARTED_AT + 44_000, reason: 'paused' }] });
    await folder.close();
    await meeting.run(path);
    const { state, stoppedAt, pauses } = await readRecording(path);
    expect(state).toBe('processed');
    expect(stoppedAt).toBeGreaterThan(STARTED_AT);
    expect(pauses[0]!.to).toBeGreaterThanOrEqual(pauses[0]!.from);
  });

  test('an empty or damaged track is silence', async () => {
    const path = await meeting.record();
    await truncate(join(path, 'tracks', 'a.mka'), 0);
    const { steps } = await meeting.run(path, { transcriber: await meeting.openAi() });
    expect(statesOf(steps)).toEqual(ALL_DONE);
    expect(
      parseTranscript(await readFile(join(path, 'transcript.vtt'), 'utf8')).map(({ speaker }) => speaker),
    ).toEqual(['Ben & Co']);
  });
});

/** Runs the program in a process of its own until it is killed. */
async function runUntilKilled(args: readonly string[]): Promise<void> {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('process-program.ts', import.meta.url)), ...args],
    { stdio: 'inherit' },
  );
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
  expect(signal).toBe('SIGKILL');
}

describe('kill -9', () => {
  test.each([
    ['finish', '+faststart', 'recording.mp4'],
    ['thumbnails', 'sprite.jpg', 'sprite.jpg'],
  ])(
    'in the middle of %s leaves nothing half done, and the next run does it',
    async (step, argument, result) => {
      const path = await meeting.record();
      // An ffmpeg whose parent dies as it starts, and that goes on by itself.
      const wrapper = join(path, '..', 'ffmpeg.sh');
      await writeFile(
        wrapper,
        `#!/bin/sh\ncase "$*" in *${argument}*) kill -9 $PPID;; esac\nexec ${testFfmpeg()} "$@"\n`,
      );
      await chmod(wrapper, 0o755);
      await runUntilKilled([path, wrapper]);
      const { state, steps } = await readRecording(path);
      expect({ state, step: steps[step]?.state }).toEqual({ state: 'stopped', step: 'running' });
      expect(await readdir(path)).not.toContain(result);
      expect((await meeting.run(path)).isDone).toBe(true);
      expect(await readFinished(join(path, 'recording.mp4'))).toMatchObject({
        frames: 450,
        chapters: CHAPTERS,
      });
      expect(await resultsIn(path)).toEqual([
        ...['chapters.vtt', 'live.mp4', 'recording.mp4', 'sprite.jpg', 'thumbnails', 'thumbnails.vtt'],
      ]);
    },
  );

  test('in the middle of the transcript keeps what was transcribed', async () => {
    const path = await meeting.record();
    let pid: number | undefined;
    // Two are asked for at a time: the third comes when one of them has its answer on the disk.
    meeting.answer = (number) => {
      if (number === 3 && pid !== undefined) process.kill(pid, 'SIGKILL');
      return undefined;
    };
    const program = fileURLToPath(new URL('process-program.ts', import.meta.url));
    const child = spawn(process.execPath, [program, path, testFfmpeg(), meeting.provider.url], {
      stdio: 'inherit',
    });
    pid = child.pid;
    await once(child, 'exit');
    expect(child.signalCode).toBe('SIGKILL');
    expect(meeting.provider.requests).toHaveLength(3);
    const { isDone } = await meeting.run(path, { transcriber: await meeting.openAi() });
    expect(isDone).toBe(true);
    expect(meeting.provider.requests).toHaveLength(4);
    expect(parseTranscript(await readFile(join(path, 'transcript.vtt'), 'utf8'))).toHaveLength(3);
    expect(await readdir(path)).not.toContain('transcript');
  });
});

describe('a provider that', () => {
  test('is busy is asked again', async () => {
    const path = await meeting.record();
    meeting.answer = (number) =>
      number % 2 === 1 ? { status: 429, body: { error: { message: 'slow down' } } } : undefined;
    const { isDone } = await meeting.run(path, { transcriber: await meeting.openAi() });
    expect(isDone).toBe(true);
    expect(parseTranscript(await readFile(join(path, 'transcript.vtt'), 'utf8'))).toHaveLength(3);
  });

  test('is down does not hold up the rest, is left alone for a while, and loses nothing', async () => {
    const path = await meeting.record();
    meeting.answer = (number) =>
      number === 1 ? undefined : { status: 500, body: { error: 'out of order' } };
    const transcriber = { ...(await meeting.openAi()), concurrency: 1 };
    const { steps, isDone } = await meeting.run(path, { transcriber });
    expect(isDone).toBe(false);
    expect(steps.transcript).toMatchObject({
      state: 'failed',
      code: 'transcription-failed',
      error: expect.stringContaining('out of order') as string,
    });
    expect(statesOf(steps)).toMatchObject({ finish: 'done', thumbnails: 'done', captions: 'skipped' });
    expect((await readFinished(join(path, 'recording.mp4'))).chapters).toEqual(CHAPTERS);
    meeting.provider.requests.length = 0;
    meeting.answer = () => undefined;
    expect((await meeting.run(path, { transcriber, isPatient: true })).isDone).toBe(false);
    expect(meeting.provider.requests).toHaveLength(0);
    expect((await meeting.run(path, { transcriber })).isDone).toBe(true);
    // What was transcribed the first time is not asked for again.
    expect(meeting.provider.requests).toHaveLength(2);
  });

  test('refuses the key is asked once', async () => {
    const path = await meeting.record();
    meeting.answer = () => ({ status: 401, body: { error: { message: 'Incorrect API key.' } } });
    const { steps } = await meeting.run(path, {
      transcriber: { ...(await meeting.openAi()), concurrency: 1 },
    });
    expect(steps.transcript).toMatchObject({ state: 'failed', code: 'transcription-refused' });
    expect(meeting.provider.requests).toHaveLength(1);
  });
});
