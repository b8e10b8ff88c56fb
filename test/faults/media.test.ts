/** ffmpeg killed while it encodes, and commands that are ended while theirs does. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { runFfmpeg } from '../support/barcode-ffmpeg.ts';
import {
  childrenRunning,
  create,
  type MeetProcess,
  meet,
  nothingLeft,
  serve,
  stopAll,
} from '../support/meet-process.ts';

let url: string;
let folder: string;
let long: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'meet-media-fault-'));
  long = join(folder, 'long.mkv');
  const picture = ['-f', 'lavfi', '-i', 'testsrc2=s=1280x720:r=30:d=60'];
  [{ url }] = await Promise.all([
    serve(join(folder, 'data')),
    runFfmpeg([...picture, '-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '40', long]),
  ]);
}, 60_000);
// The server's worker stays until the end.
const encoders = async () => (await childrenRunning()).filter(({ name }) => name === 'ffmpeg');
afterEach(async () => {
  await expect.poll(encoders, { timeout: 5_000 }).toEqual([]);
});
afterAll(async () => {
  await stopAll();
  await nothingLeft();
});

/** Sends a file that is in no cache. */
async function sender(meeting: string): Promise<MeetProcess> {
  const cache = await mkdtemp(join(folder, 'cache-'));
  return meet(['join', meeting, '--json', '--name', 'Sender', '--video', long], {
    env: { MEET_CACHE: cache },
  });
}

async function encoder(): Promise<number> {
  for (;;) {
    const [found] = await encoders();
    if (found) return found.pid;
    await delay(20);
  }
}

test('an ffmpeg that is killed in the middle of a meeting ends the command with 1 and a sentence', async () => {
  const meeting = await create(url);
  const command = await sender(meeting.url);
  await command.waitFor('joined', undefined, 60_000);
  process.kill(await encoder(), 'SIGKILL');
  expect((await command.exited).code).toBe(1);
  expect(command.error).toMatchObject({
    code: 'ffmpeg-failed',
    message: expect.stringMatching(/^ffmpeg was ended by SIGKILL while encoding .*long\.mkv/),
  });
  expect(command.events.at(-1)).toMatchObject({ event: 'left', reason: 'failed' });
}, 90_000);

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  '%s while encoding ends both at once, with 130',
  async (signal) => {
    const command = await sender('http://127.0.0.1:1/meetings/abc-defg-hij');
    await encoder();
    const began = performance.now();
    command.child.kill(signal);
    expect((await command.exited).code).toBe(130);
    expect(performance.now() - began).toBeLessThan(3_000);
    expect(command.stdout + command.stderr).toBe('');
  },
  60_000,
);

test('a command that is killed takes its ffmpeg with it', async () => {
  const meeting = await create(url);
  const command = await sender(meeting.url);
  await command.waitFor('joined', undefined, 60_000);
  await encoder();
  command.child.kill('SIGKILL');
  await command.exited;
}, 90_000);
