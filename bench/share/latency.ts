/** How long it takes from a change on the screen to the decoded picture at a receiver. */
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { joinMeeting } from '../../src/client/index.ts';
import type { RemoteTrack } from '../../src/client/peer/remote-track.ts';
import { VideoDecoder } from '../../src/media/decode/video-decoder.ts';
import { meet } from '../../test/support/meet-process.ts';
import { textPage } from '../../test/support/pictures.ts';
import type { Painter } from '../../test/support/x11-painter.ts';
import { type Figure, spread } from '../harness/figure.ts';
import type { MeasuredServer } from '../harness/server.ts';
import { SIZE } from './scenes.ts';

const CHANGES = 60;
/** Not in step with captures, nor with the cap of changes of detail that go on. */
const INTERVAL_MS = 433;
/** The counter: so many squares in a row, black for 0 and white for 1. */
const BITS = 8;
const SQUARE = 64;
const DECODED = { width: 640, height: 360 };
/** For a newcomer to a still screen to see all of it. */
const NEWCOMER_MS = 1_000;

export async function measureLatency(
  painter: Painter,
  { server, display }: { server: MeasuredServer; display: string },
): Promise<Figure[]> {
  const page = await textPage(3, SIZE);
  const window = await painter.window({ x: 0, y: 0, ...SIZE, title: 'Counter' });
  await window.paint(page);
  const meeting = await server.newMeeting();
  const receiver = await joinMeeting({ meeting, displayName: 'Receiver' });
  const arriving = once(receiver, 'track') as Promise<[RemoteTrack]>;
  const sharer = meet(['share', meeting, '--json', '--display', display, '--no-cursor', '--content', 'auto']);
  const decoder = await VideoDecoder.start({ codec: 'vp8', ...DECODED, maxFps: 60 });
  try {
    const [track] = await arriving;
    const paintedAt = new Map<number, number>();
    const seen = new Map<number, number>();
    decoder.on('picture', ({ rgb }) => {
      const value = read(rgb);
      if (paintedAt.has(value) && !seen.has(value)) seen.set(value, performance.now());
    });
    track.on('frame', (frame) => decoder.write(frame));
    track.requestKeyFrame();
    await once(decoder, 'picture');
    await delay(3_000);
    for (let value = 1; value <= CHANGES; value += 1) {
      const rows = { y: 0, rows: SQUARE };
      await window.paint(counter(page, value), rows);
      paintedAt.set(value, performance.now());
      await delay(INTERVAL_MS);
    }
    const samples = [...seen].map(([value, at]) => at - paintedAt.get(value)!);
    const newcomer = await newcomerMs(meeting);
    return [
      ...spread('from a change on the screen to the decoded picture', 'ms', samples, 'p95', { high: 150 }),
      { name: 'changes that were never seen', value: CHANGES - seen.size, unit: '', target: 0 },
      {
        name: 'first picture of a newcomer to a still screen',
        value: newcomer,
        unit: 'ms',
        target: NEWCOMER_MS,
      },
    ];
  } finally {
    await decoder.close();
    await sharer.stop();
    await receiver.leave();
    await window.destroy();
  }
}

/** From joining to the first whole picture. */
async function newcomerMs(meeting: string): Promise<number> {
  await delay(3_000);
  const startedAt = performance.now();
  const newcomer = await joinMeeting({ meeting, displayName: 'Newcomer' });
  try {
    const [track] =
      newcomer.tracks.length > 0 ? newcomer.tracks : ((await once(newcomer, 'track')) as [RemoteTrack]);
    await once(track!, 'frame');
    return performance.now() - startedAt;
  } finally {
    await newcomer.leave();
  }
}

/** The top rows of the page with the counter in them. */
function counter(page: Buffer, value: number): Buffer {
  const rows = Buffer.from(page.subarray(0, SIZE.width * 4 * SQUARE));
  for (let bit = 0; bit < BITS; bit += 1) {
    const shade = (value >> bit) & 1 ? 255 : 0;
    for (let row = 0; row < SQUARE; row += 1) {
      const from = (row * SIZE.width + bit * SQUARE) * 4;
      rows.fill(shade, from, from + SQUARE * 4);
    }
  }
  return rows;
}

function read(rgb: Buffer): number {
  const square = (SQUARE * DECODED.width) / SIZE.width;
  let value = 0;
  for (let bit = 0; bit < BITS; bit += 1) {
    const at = (Math.floor(square / 2) * DECODED.width + Math.floor((bit + 0.5) * square)) * 3;
    if (rgb[at + 1]! > 128) value |= 1 << bit;
  }
  return value;
}
