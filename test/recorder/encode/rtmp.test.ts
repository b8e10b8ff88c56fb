import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findFfmpeg } from '../../../src/media/ffmpeg/locate.ts';
import { RtmpSink } from '../../../src/recorder/encode/index.ts';
import { testFfmpeg } from '../../support/barcode-ffmpeg.ts';
import { freePort } from '../../support/free-port.ts';
import { FPS, Recorded, shownPictures } from './material.ts';

let directory: string;
let receiver: ChildProcess | undefined;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rtmp-'));
});
afterEach(async () => {
  if (receiver?.exitCode === null) {
    receiver.kill('SIGKILL');
    await once(receiver, 'exit');
  }
  await rm(directory, { recursive: true, force: true });
});

async function record(): Promise<Recorded> {
  const recorded = await Recorded.start('mp4');
  await recorded.feed(4 * FPS);
  await recorded.encoder.finish();
  return recorded;
}

test('the endpoint gets the same pictures and sound, after it has come too', async () => {
  const { inits, fragments } = await record();
  const ffmpeg = await findFfmpeg({ path: testFfmpeg() });
  const port = await freePort();
  const url = `rtmp://127.0.0.1:${port}/live/secret-key`;
  const sink = new RtmpSink({ ffmpeg, url, format: 'mp4' });
  sink.init(inits[0]!);
  const lost = once(sink, 'lost');
  sink.fragment(fragments[0]!);
  const [{ error, retryMs }] = await lost;
  expect(error).toMatchObject({ code: 'ffmpeg-failed' });
  expect(error.message).not.toContain('secret-key');
  expect(retryMs).toBeGreaterThan(0);

  const path = join(directory, 'received.flv');
  receiver = spawn(testFfmpeg(), ['-v', 'verbose', '-y', '-listen', '1', '-i', url, '-c', 'copy', path]);
  const exit = once(receiver, 'exit');
  // Whoever comes before the receiver listens is tried again by the next fragment after the wait.
  const back = once(sink, 'back');
  const offer = setInterval(() => sink.fragment(fragments[0]!), 50);
  await back;
  clearInterval(offer);
  for (const fragment of fragments.slice(1)) sink.fragment(fragment);
  await sink.close();
  await exit;
  expect(sink.pid).toBeUndefined();
  const pictures = await shownPictures(path);
  expect(pictures.length).toBeGreaterThanOrEqual(3 * FPS);
});

test('what RTMP does not take is refused at once', async () => {
  const ffmpeg = await findFfmpeg({ path: testFfmpeg() });
  expect(() => new RtmpSink({ ffmpeg, url: 'http://example.org/', format: 'mp4' })).toThrow(/rtmp:\/\//);
  expect(() => new RtmpSink({ ffmpeg, url: 'rtmp://example.org/a/b', format: 'webm' })).toThrow(/WebM/);
});
