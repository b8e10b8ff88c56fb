/** One share of one scene: `meet share` as a process, a server, and a receiver in this process. */
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { joinMeeting } from '../../src/client/index.ts';
import type { RemoteTrack } from '../../src/client/peer/remote-track.ts';
import type { ReceivedFrame } from '../../src/client/types.ts';
import { meet } from '../../test/support/meet-process.ts';
import { decodeLuma, lumaOf, ssim } from '../../test/support/pictures.ts';
import type { Figure } from '../harness/figure.ts';
import { childPids, cpuUs } from '../harness/processes.ts';
import type { MeasuredServer } from '../harness/server.ts';
import { measurePlain, type PlainFigures } from './plain.ts';
import { type Playing, type Scene, SIZE } from './scenes.ts';

const WINDOW_MS = 12_000;
/** After which a change has to be sharp, milliseconds, and how alike the picture has to be then. */
const CRISP_MS = 1_000;

export async function measureScene(
  scene: Scene,
  { server, display }: { server: MeasuredServer; display: string },
): Promise<Figure[]> {
  const meeting = await server.newMeeting();
  const receiver = await joinMeeting({ meeting, displayName: 'Receiver' });
  const arriving = once(receiver, 'track') as Promise<[RemoteTrack]>;
  const sharer = meet(['share', meeting, '--json', '--name', 'Sharer', '--display', display, '--no-cursor']);
  try {
    const [track] = await arriving;
    const frames: ReceivedFrame[] = [];
    track.on('frame', (frame) => frames.push(frame));
    await once(track, 'frame');
    // The higher layer comes once the server knows that the path carries it.
    await delay(4_000);
    const begunAt = Date.now();
    const playing = await scene.start();
    try {
      const decided = decision(scene, sharer, begunAt);
      await delay(2_000);
      const from = frames.length;
      const cpu = await sharerCpu(sharer.child.pid!, WINDOW_MS);
      const during = frames.slice(from);
      const crisp = playing.shown.length > 1 ? await sharpness(frames, playing) : [];
      const decidedMs = await decided;
      // Not beside the other: on two cores they would keep each other from their rates.
      await sharer.stop();
      const plain = await measurePlain(display, WINDOW_MS / 2);
      const rate = (during.length * 1_000) / WINDOW_MS;
      const bytes = during.reduce((sum, { data }) => sum + data.length, 0);
      return [
        { name: `${scene.name}: time to decide`, value: decidedMs, unit: 'ms', target: 1_000 },
        { name: `${scene.name}: pictures`, value: rate, unit: '1/s' },
        { name: `${scene.name}: bit rate received`, value: (bytes * 8) / WINDOW_MS, unit: 'kbit/s' },
        ...cpuFigures(scene, { cpu, rate }, plain),
        ...(crisp.length === 0
          ? []
          : [
              {
                name: `${scene.name}: least dissimilarity (1 − SSIM) ${CRISP_MS} ms after a page, worst page`,
                value: 1 - Math.min(...crisp),
                unit: '',
                target: 0.03,
              },
            ]),
      ];
    } finally {
      await playing.stop();
    }
  } finally {
    await sharer.stop();
    await receiver.leave();
  }
}

/**
 * Slides are held against a third of what plain capturing costs by the second, motion against all of it by the picture: a
 * busy machine gives neither of the two its full rate.
 */
function cpuFigures({ name, content }: Scene, share: PlainFigures, plain: PlainFigures): Figure[] {
  const each = ({ cpu, rate }: PlainFigures) => (cpu * 1_000) / rate;
  const still = content === 'detail';
  return [
    {
      name: `${name}: CPU of the sharer`,
      value: share.cpu,
      unit: 's/s',
      ...(still ? { target: plain.cpu / 3 } : {}),
    },
    { name: `${name}: CPU of plain x11grab→VP8`, value: plain.cpu, unit: 's/s' },
    { name: `${name}: pictures of plain x11grab→VP8`, value: plain.rate, unit: '1/s' },
    ...(still
      ? []
      : [
          {
            name: `${name}: CPU of the sharer for a picture`,
            value: each(share),
            unit: 'ms',
            target: each(plain),
          },
          { name: `${name}: CPU of plain x11grab→VP8 for a picture`, value: each(plain), unit: 'ms' },
        ]),
  ];
}

/** Milliseconds from the scene's beginning until it is taken for what it is; 0 where it was that before. */
async function decision(scene: Scene, sharer: ReturnType<typeof meet>, begunAt: number): Promise<number> {
  if (scene.content === 'detail') return 0;
  const { at } = await sharer.waitFor(
    'content',
    ({ content, at = 0 }) => content === scene.content && at >= begunAt,
  );
  return Number(at) - begunAt;
}

/** CPU seconds a second of the command and of all that it has started. */
async function sharerCpu(pid: number, ms: number): Promise<number> {
  const used = () => {
    const times = new Map<number, number>();
    for (const one of [pid, ...childPids(pid)]) times.set(one, cpuUs(one));
    return times;
  };
  const before = used();
  const startedAt = performance.now();
  await delay(ms);
  const after = used();
  const sum = [...after].reduce((total, [one, time]) => total + time - (before.get(one) ?? 0), 0);
  return sum / (performance.now() - startedAt) / 1_000;
}

/** How alike to its page the last picture is that was captured within a second of each page's showing. */
async function sharpness(frames: readonly ReceivedFrame[], playing: Playing): Promise<number[]> {
  const decoded = await decodeLuma(frames, SIZE);
  return playing.shown.slice(1, -1).map(({ page, atMs }) => {
    const last = frames.findLastIndex(({ receivedAtMs }) => receivedAtMs <= atMs + CRISP_MS);
    return ssim(decoded[last]!, lumaOf(page), SIZE);
  });
}
