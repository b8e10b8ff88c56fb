import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TrackFile, type TrackFileOptions } from '../../../src/media/save/index.ts';
import { runFfmpeg } from '../../support/barcode-ffmpeg.ts';
import { encodeOpus, encodeVideo, ivf, VIDEO_ENCODERS } from '../rtp/encoded.ts';
import { FRAME_MS, fileTimes, probe, receivedVideo, START_MS } from './save-frames.ts';

const SMALL = { width: 320, height: 180, frames: 45, gop: 15 };

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'track-file-'));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

const open = (options: Partial<TrackFileOptions> & Pick<TrackFileOptions, 'codec'>) =>
  TrackFile.open({ directory, participantName: 'Ann', source: 'camera', trackId: 'a1b2c3d4e5', ...options });

/** Time of the n-th picture in a file, whole milliseconds. */
const time = (n: number) => Math.round(n * FRAME_MS) / 1000;

describe.each(VIDEO_ENCODERS)('a track of $codec ($encoder)', ({ encoder, codec }) => {
  test('decodes to every picture at its time, with duration and index', async () => {
    const frames = await receivedVideo(encoder, codec, SMALL);
    const file = await open({ codec });
    for (const frame of frames) file.write(frame);
    const summary = await file.close();
    expect(summary).toMatchObject({ frames: 45, framesDropped: 0, startedAtMs: START_MS, path: file.path });
    expect(file.path).toBe(join(directory, `Ann-camera-a1b2c3d4.${codec === 'h264' ? 'mkv' : 'webm'}`));
    const expected = frames.map((_, i) => time(i));
    expect(await fileTimes(file.path, 'packets')).toEqual(expected);
    const decoded = await fileTimes(file.path, 'decoded');
    expect(decoded).toHaveLength(45);
    decoded.forEach((at, i) => {
      expect(Math.abs(at - expected[i]!)).toBeLessThanOrEqual(0.0011);
    });
    const { durationSeconds, text } = await probe(file.path);
    expect(durationSeconds).toBeCloseTo(1.5, 1);
    expect(text).toContain('320x180');
    expect(text).toContain(`creation_time   : ${new Date(START_MS).toISOString().slice(0, 19)}`);
    expect(text).not.toMatch(/error|invalid|corrupt/i);
  }, 60_000);
});

describe('time', () => {
  test('opus with silence left out by the sender keeps its times', async () => {
    const packets = await encodeOpus(2);
    const file = await open({ codec: 'opus', source: 'microphone' });
    const times = packets.map((_, i) => (i < 50 ? i * 20 : 7000 + i * 20));
    packets.forEach((data, i) => {
      file.write({ data, keyframe: true, mediaTimeMs: 123_456 + times[i]! });
    });
    const summary = await file.close();
    expect(summary.frames).toBe(packets.length);
    expect(summary.durationMs).toBe(times.at(-1)! + 20);
    expect(await fileTimes(file.path, 'packets')).toEqual(times.map((at) => at / 1000));
    expect((await probe(file.path)).durationSeconds).toBeCloseTo(summary.durationMs / 1000, 1);
  });

  test('lost pictures and a pause longer than a cluster leave holes, not a shift', async () => {
    const frames = await receivedVideo('libvpx', 'vp8', SMALL);
    const kept = frames
      .filter((_, i) => i < 20 || i >= 30)
      .map((frame, i) => {
        const pause = i < 20 ? 0 : 100_000;
        return {
          ...frame,
          mediaTimeMs: frame.mediaTimeMs + pause,
          receivedAtMs: frame.receivedAtMs! + pause,
        };
      });
    const file = await open({ codec: 'vp8' });
    for (const frame of kept) file.write(frame);
    const { durationMs } = await file.close();
    const expected = [...Array(45).keys()].filter((i) => i < 20 || i >= 30);
    expect(await fileTimes(file.path, 'packets')).toEqual(
      expected.map((i) => Math.round(i * FRAME_MS + (i < 30 ? 0 : 100_000)) / 1000),
    );
    expect(durationMs).toBeGreaterThan(101_000);
  });

  test('a sender that begins a new count goes on where its frames arrive', async () => {
    const frames = await receivedVideo('libvpx', 'vp8', SMALL);
    const file = await open({ codec: 'vp8' });
    frames.forEach((frame, i) => {
      file.write({ ...frame, mediaTimeMs: i < 15 ? frame.mediaTimeMs : frame.mediaTimeMs - 490_000 });
    });
    await file.close();
    const times = await fileTimes(file.path, 'packets');
    times.forEach((at, i) => {
      expect(Math.abs(at - time(i))).toBeLessThanOrEqual(0.002);
    });
  });

  test("the sender's clock, once known, says when the file begins", async () => {
    const frames = await receivedVideo('libvpx', 'vp8', SMALL);
    const file = await open({ codec: 'vp8' });
    frames.forEach((frame, i) => {
      file.write({ ...frame, captureTimeMs: i < 30 ? undefined : START_MS - 250 + i * FRAME_MS });
    });
    const { startedAtMs } = await file.close();
    expect(Math.abs(startedAtMs - (START_MS - 250))).toBeLessThanOrEqual(1);
    const [, date] = /creation_time +: (\S+)/.exec((await probe(file.path)).text)!;
    expect(Math.abs(Date.parse(date!) - startedAtMs)).toBeLessThanOrEqual(1);
  });
});

describe('what comes in', () => {
  test('a change of resolution stays in the file', async () => {
    for (const { encoder, codec } of VIDEO_ENCODERS.filter(({ encoder: name }) => name !== 'libsvtav1')) {
      const small = await receivedVideo(encoder, codec, { ...SMALL, frames: 15 });
      const large = await receivedVideo(encoder, codec, { width: 640, height: 360, frames: 15, gop: 15 });
      const file = await open({ codec, trackId: codec });
      [...small, ...large].forEach((frame, i) => {
        file.write({ ...frame, mediaTimeMs: i * FRAME_MS, receivedAtMs: START_MS + i * FRAME_MS });
      });
      await file.close();
      expect(await fileTimes(file.path, 'decoded')).toHaveLength(30);
    }
  }, 60_000);

  test('frames before the first keyframe and malformed ones are left out', async () => {
    const frames = await receivedVideo('libvpx', 'vp8', SMALL);
    const file = await open({ codec: 'vp8' });
    for (const frame of frames.slice(10)) file.write(frame);
    file.write({ ...frames[20]!, data: Buffer.alloc(0) });
    file.write({ ...frames[20]!, mediaTimeMs: Number.NaN });
    expect(await file.close()).toMatchObject({ frames: 30, framesDropped: 5 + 2 });
    expect(await fileTimes(file.path, 'decoded')).toHaveLength(30);
    const sound = await open({ codec: 'opus', source: 'microphone' });
    sound.write({ data: Buffer.from([3, 0]), keyframe: true, mediaTimeMs: 0 });
    expect(await sound.close()).toMatchObject({ path: undefined, frames: 0, framesDropped: 1 });
  });

  test('a track that never had a keyframe leaves no file', async () => {
    const [key, ...rest] = await receivedVideo('libvpx', 'vp8', { ...SMALL, frames: 5 });
    const file = await open({ codec: 'vp8' });
    for (const frame of rest) file.write(frame);
    const { width, height, ...sizeless } = key!;
    expect([width, height]).toEqual([320, 180]);
    file.write(sizeless);
    expect(await file.close()).toMatchObject({ path: undefined, frames: 0, framesDropped: 5 });
    expect(await readdir(directory)).toEqual([]);
  });

  test('frames that come faster than they can be written are bounded in memory', async () => {
    const [key] = await receivedVideo('libvpx', 'vp8', { ...SMALL, frames: 1 });
    const file = await open({ codec: 'vp8' });
    const large = Buffer.concat([key!.data, Buffer.alloc(1024 * 1024)]);
    // One turn of the event loop: no write can end in it.
    for (let i = 0; i < 64; i++) file.write({ ...key!, data: large, mediaTimeMs: i * 40 });
    const summary = await file.close();
    expect(summary.frames).toBeLessThanOrEqual(16);
    expect(summary.frames + summary.framesDropped).toBe(64);
  });
});

describe('the end', () => {
  test('close may be called twice, writes after it are ignored', async () => {
    const frames = await receivedVideo('libvpx', 'vp8', SMALL);
    const file = await open({ codec: 'vp8' });
    for (const frame of frames) file.write(frame);
    const [first, second] = await Promise.all([file.close(), file.close()]);
    file.write(frames[0]!);
    expect(second).toBe(first);
    expect((await stat(file.path)).size).toBe(first.bytes);
  });

  test('a finished file can be seeked in', async () => {
    const frames = await receivedVideo('libvpx', 'vp8', { ...SMALL, frames: 150 });
    const file = await open({ codec: 'vp8' });
    for (const frame of frames) file.write(frame);
    await file.close();
    const { stdout } = await runFfmpeg([
      ...['-v', 'error', '-nostdin', '-ss', '3', '-i', file.path, '-vsync', '0', '-f', 'framecrc', 'pipe:1'],
    ]);
    expect(
      stdout
        .toString()
        .split('\n')
        .filter((line) => line.startsWith('0,')),
    ).toHaveLength(60);
  });

  test('a file cut off anywhere plays up to there', async () => {
    const frames = await receivedVideo('libvpx', 'vp8', { ...SMALL, frames: 90 });
    const file = await open({ codec: 'vp8' });
    for (const frame of frames) file.write(frame);
    await file.close();
    const whole = await readFile(file.path);
    const counts: number[] = [];
    for (const share of [0.25, 0.5, 0.75]) {
      const cut = join(directory, `cut-${share}.webm`);
      await writeFile(cut, whole.subarray(0, Math.floor(whole.length * share)));
      counts.push((await fileTimes(cut, 'decoded')).length);
    }
    expect(counts[0]).toBeGreaterThan(5);
    expect(counts[1]).toBeGreaterThan(counts[0]!);
    expect(counts[2]).toBeGreaterThan(counts[1]!);
  });

  test('of a process killed with SIGKILL all but the last second is there', async () => {
    const { frames } = await encodeVideo('libvpx', { ...SMALL, frames: 300 });
    const input = join(directory, 'input.ivf');
    await writeFile(input, ivf('vp8', 320, 180, frames));
    const script = fileURLToPath(new URL('killed-writer.ts', import.meta.url));
    const folder = join(directory, 'saved');
    const child = spawn(process.execPath, [script, folder, input], { stdio: ['ignore', 'pipe', 'inherit'] });
    const exited = once(child, 'exit');
    let written = 0;
    for await (const line of createInterface(child.stdout)) {
      written = Number(line);
      if (written === 120) child.kill('SIGKILL');
    }
    await exited;
    const decoded = await fileTimes(join(folder, 'killed-camera-track.webm'), 'decoded');
    expect(decoded.length).toBeGreaterThanOrEqual(120 - 30);
    expect(decoded.length).toBeLessThanOrEqual(written);
  });
});
