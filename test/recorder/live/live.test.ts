/** The picture and sound of a meeting whose pictures count and whose sound beeps, decoded and looked at. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createMeeting } from '../../../src/client/api.ts';
import { joinMeeting } from '../../../src/client/join.ts';
import { findFfmpeg } from '../../../src/media/ffmpeg/locate.ts';
import { openFile } from '../../../src/media/file/open.ts';
import { outputDurationMs, outputTimeMs, type Recording } from '../../../src/recorder/folder/index.ts';
import { arrange } from '../../../src/recorder/layout/arrange.ts';
import type { ScenePerson } from '../../../src/recorder/layout/types.ts';
import { openOutputs, startLive } from '../../../src/recorder/live/open-live.ts';
import { RecorderSession } from '../../../src/recorder/session/session.ts';
import { takeFolder } from '../../../src/recorder/session/take-folder.ts';
import { barcodeClip } from '../../support/barcode-clip.ts';
import { compareAv, reportCounters } from '../../support/barcode-compare.ts';
import { type BarcodeFrame, readBarcodeFrames, readBeeps } from '../../support/barcode-media.ts';
import { mediaCacheDir } from '../../support/media-cache.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

/** Small, as the clips are: a machine that does not keep up shows each picture for longer. */
const SIZE = { width: 640, height: 360 };
const FPS = 15;
/** Of the clips. */
const CLIP_FPS = 30;
/** What is shown may stand still for so long on a machine with other work, seconds. */
const STILL_SECONDS = 0.5;

let server: TestServer;
let directory: string;
let recording: Recording;
let file: string;
/** Wall times. */
const moments = { bobLeft: 0, paused: 0, resumed: 0 };

beforeAll(async () => {
  server = await startTestServer();
  directory = await mkdtemp(join(tmpdir(), 'meet-live-'));
  const { meeting, hostToken } = await createMeeting(server.url, { title: 'Weekly' });
  const options = { layout: 'gallery', ...SIZE, fps: FPS, bitrate: 2_000_000, format: 'mp4' } as const;
  const { folder } = await takeFolder({
    directory,
    server: server.url,
    meetingId: meeting.id,
    title: null,
    options: { ...options, clock: false, tracksOnly: false },
  });
  const outputs = await openOutputs(folder, { ffmpeg: await findFfmpeg(), cacheFolder: mediaCacheDir() });
  file = outputs.file.path;
  const session = await RecorderSession.join({
    folder,
    join: { meeting: meeting.url, displayName: 'Recorder', hostToken, recorder: true },
  });
  const live = startLive(session, outputs);
  const clips = [{}, { audio: false }].map((what) =>
    barcodeClip({ seconds: 20, width: 320, height: 180, ...what }),
  );
  const [ada, bob] = await Promise.all(
    clips.map(async (clip, i) => {
      const source = await openFile({ video: await clip, cacheDir: mediaCacheDir(), loop: true });
      const displayName = i === 0 ? 'Ada' : 'Bob';
      return await joinMeeting({
        meeting: meeting.url,
        displayName,
        source,
        receive: 'none',
      });
    }),
  );
  /** Resolves when so many seconds of sound have been captured. */
  const pass = (seconds: number): Promise<number> =>
    new Promise((resolve) => {
      let from: number | undefined;
      session.on('frame', function count(track, _frame, capturedAt) {
        if (track.kind !== 'audio') return;
        from ??= capturedAt;
        if (capturedAt < from + seconds * 1000) return;
        session.off('frame', count);
        resolve(capturedAt);
      });
    });
  await pass(4);
  await bob!.leave();
  moments.bobLeft = await pass(0);
  moments.paused = await pass(3);
  await session.setPaused(true);
  moments.resumed = await pass(2);
  await session.setPaused(false);
  await pass(3);
  session.stop();
  await session.close();
  await live.finish(folder.recording.stoppedAt!);
  recording = folder.recording;
  await folder.close();
  await ada!.leave();
}, 120_000);
afterAll(async () => {
  await server.close();
  await rm(directory, { recursive: true, force: true });
});

/** Where the tiles are of so many people, as shares of the picture. */
function tiles(count: number) {
  const people = Array.from({ length: count }, (_, i): ScenePerson => {
    return { id: `${i}`, name: '', role: 'participant', muted: false, speaking: false, video: `${i}` };
  });
  return arrange({ layout: 'gallery', people, speakers: [] }, SIZE).map(({ rect }) => ({
    x: rect.x / SIZE.width,
    y: rect.y / SIZE.height,
    width: rect.width / SIZE.width,
    height: rect.height / SIZE.height,
  }));
}

/** Output time in seconds of a wall time. */
const output = (wallMs: number) => outputTimeMs(recording, wallMs) / 1000;
const between = (frames: readonly BarcodeFrame[], from: number, to: number) =>
  frames.filter(({ pts }) => pts > from && pts < to);

function expectAdvancing(frames: readonly BarcodeFrame[]): void {
  const { unreadable, backward } = reportCounters(frames);
  expect(frames.length).toBeGreaterThan(20);
  expect({ unreadable, backward }).toEqual({ unreadable: 0, backward: 0 });
  // What is shown is as fast as it was, whatever was left out.
  const [first, last] = [frames[0]!, frames.at(-1)!];
  const shown = (last.counter! - first.counter!) / CLIP_FPS;
  expect(Math.abs(shown - (last.pts - first.pts))).toBeLessThan(STILL_SECONDS);
}

describe('the live file', () => {
  test('has pictures at a steady rate, for as long as it was recorded', async () => {
    const frames = await readBarcodeFrames(file);
    const [first] = frames;
    frames.forEach(({ pts }, i) => {
      expect(Math.abs(pts - first!.pts - i / FPS)).toBeLessThan(0.002);
    });
    // It may begin and end within a picture.
    const pictures = (outputDurationMs(recording, 0) / 1000) * FPS;
    expect(Math.abs(frames.length - pictures)).toBeLessThan(2);
  });

  test('shows both in their tiles, and who stays in the whole picture', async () => {
    const left = output(moments.bobLeft);
    for (const picture of tiles(2))
      expectAdvancing(between(await readBarcodeFrames(file, { picture }), left - 2, left - 0.2));
    const [picture] = tiles(1);
    expectAdvancing(
      between(await readBarcodeFrames(file, { picture: picture! }), left + 1, output(moments.paused) - 0.2),
    );
  });

  test('leaves the pause out, and goes on with what was after it', async () => {
    const [picture] = tiles(1);
    const frames = await readBarcodeFrames(file, { picture: picture! });
    const paused = output(moments.paused);
    const before = between(frames, paused - 0.5, paused - 0.1).at(-1);
    const after = between(frames, paused + 0.3, paused + 1).at(-1);
    const skipped = (after!.counter! - before!.counter!) / CLIP_FPS - (after!.pts - before!.pts);
    const pause = (moments.resumed - moments.paused) / 1000;
    expect(Math.abs(skipped - pause)).toBeLessThan(STILL_SECONDS);
    expectAdvancing(between(frames, paused + 0.5, paused + 2.5));
  });

  test('has picture and sound within 40 ms', async () => {
    const beeps = await readBeeps(file);
    const left = output(moments.bobLeft);
    const paused = output(moments.paused);
    const all: number[] = [];
    for (const [picture, from, to] of [
      [tiles(2)[0]!, left - 2.5, left - 0.2],
      [tiles(1)[0]!, left + 1, paused - 0.1],
      [tiles(1)[0]!, paused + 0.5, paused + 3],
    ] as const) {
      const frames = between(await readBarcodeFrames(file, { picture }), from, to);
      const offsets = compareAv(
        frames,
        beeps.filter((beep) => beep > from && beep < to),
      );
      all.push(...offsets.map(({ offsetMs }) => offsetMs));
    }
    // A picture that was left out makes one of them worse; the middle one is what is seen and heard.
    const sorted = all.toSorted((a, b) => a - b);
    expect(sorted.length).toBeGreaterThanOrEqual(3);
    expect(Math.abs(sorted[sorted.length >> 1]!)).toBeLessThanOrEqual(40);
  });
});
