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

export interface PlainFigures {
  /** CPU seconds a second. */
  readonly cpu: number;
  /** Pictures a second that it came to. */
  readonly rate: number;
}

export async function measurePlain(display: string, ms: number): Promise<PlainFigures> {
  const { path } = await findFfmpeg();
  const [low, full] = screenLayers(SIZE);
  const output = (label: string, bitrate: number) => [
    ...['-map', label, '-c:v', 'libvpx', ...screenArguments('vp8', bitrate), '-threads', '1', '-g', '9999'],
    ...['-f', 'null', '-'],
  ];
  const child = spawn(
    path,
    [
      ...[
        '-nostdin',
        '-v',
        'error',
        '-progress',
        'pipe:1',
        '-stats_period',
        '0.25',
        '-f',
        'x11grab',
        '-framerate',
        String(FRAME_RATE),
        '-draw_mouse',
        '0',
      ],
      ...['-video_size', `${SIZE.width}x${SIZE.height}`, '-i', display, '-filter_complex'],
      `[0:v]format=yuv420p,split=2[full][l];[l]scale=${low!.width}:${low!.height}:flags=bilinear[low]`,
      ...output('[full]', full!.bitrate),
      ...output('[low]', low!.bitrate),
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  let frames = 0;
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    frames = Number(/frame=\s*(\d+)/.exec(text)?.[1] ?? frames);
  });
  const exited = once(child, 'exit');
  await delay(1_000);
  const before = { cpu: cpuUs(child.pid!), at: performance.now(), frames };
  await delay(ms);
  const seconds = (performance.now() - before.at) / 1_000;
  const cpu = (cpuUs(child.pid!) - before.cpu) / 1e6 / seconds;
  const rate = (frames - before.frames) / seconds;
  child.kill('SIGKILL');
  await exited;
  return { cpu, rate };
}
