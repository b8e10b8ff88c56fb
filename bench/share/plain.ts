/** What a share is held against: one ffmpeg that captures and encodes the same two layers at the full rate. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { screenLayers } from '../../src/media/capture/layers.ts';
import { screenArguments } from '../../src/media/encode/codecs.ts';
import { findFfmpeg } from '../../src/media/ffmpeg/locate.ts';
import { cpuUs } from '../harness/processes.ts';
import { SIZE } from './scenes.ts';

const FRAME_RATE = 30;

/** CPU seconds a second of it. */
export async function plainCpu(display: string, ms: number): Promise<number> {
  const { path } = await findFfmpeg();
  const [low, full] = screenLayers(SIZE);
  const output = (label: string, bitrate: number) => [
    ...['-map', label, '-c:v', 'libvpx', ...screenArguments('vp8', bitrate), '-threads', '1', '-g', '9999'],
    ...['-f', 'null', '-'],
  ];
  const child = spawn(
    path,
    [
      ...['-nostdin', '-v', 'error', '-f', 'x11grab', '-framerate', String(FRAME_RATE), '-draw_mouse', '0'],
      ...['-video_size', `${SIZE.width}x${SIZE.height}`, '-i', display, '-filter_complex'],
      `[0:v]format=yuv420p,split=2[full][l];[l]scale=${low!.width}:${low!.height}:flags=bilinear[low]`,
      ...output('[full]', full!.bitrate),
      ...output('[low]', low!.bitrate),
    ],
    { stdio: ['ignore', 'ignore', 'ignore'] },
  );
  const exited = once(child, 'exit');
  await delay(1_000);
  const before = { cpu: cpuUs(child.pid!), at: performance.now() };
  await delay(ms);
  const used = (cpuUs(child.pid!) - before.cpu) / (performance.now() - before.at) / 1_000;
  child.kill('SIGKILL');
  await exited;
  return used;
}
