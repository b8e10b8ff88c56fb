/** A receiver whose link loses packets at random: what is shown and heard, and which rule is in force. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Figure } from '../../harness/figure.ts';
import { sharedClockMs } from '../../programs/synthetic-source.ts';
import {
  audioLoss,
  concealment,
  framesOf,
  framesPerSecond,
  freezes,
  type Interval,
  playoutDelay,
  shareAt,
} from '../analysis.ts';
import { preparedClip } from '../media/clip.ts';
import { BenchMeeting } from '../meeting.ts';
import { untilLines } from '../reach.ts';
import type { Recording } from '../recording.ts';
import type { Scenario } from '../scenario.ts';

const LOSSES = [0.02, 0.07, 0.15, 0.25];
/** One way. */
const DELAYS_MS = [30, 100];
const JITTER_MS = 10;
/** For the rules to see it and act: loss is smoothed over seconds, and each layer is given up on its own. */
const SETTLE_MS = 10_000;
const MEASURE_MS = 20_000;
const QUICK_SETTLE_MS = 6_000;
const QUICK_MEASURE_MS = 6_000;
const WARM_UP_MS = 30_000;
const SEED = 1;

const LAYERS = [0, 180, 360, 720];

export const randomLoss: Scenario = {
  name: 'random-loss',
  title:
    'a receiver that loses packets at random in both directions, with delay each way and 10 ms of jitter',
  run: async (options) => {
    const clip = await preparedClip();
    const figures: Figure[] = [];
    for (const delayMs of DELAYS_MS) {
      // A meeting of its own: what the last loss has left behind is not to be measured.
      figures.push(...(await BenchMeeting.run((meeting) => withDelay(meeting, clip, delayMs, options))));
    }
    return figures;
  },
};

async function withDelay(
  meeting: BenchMeeting,
  clip: string,
  delayMs: number,
  { quick, say, keep }: Parameters<Scenario['run']>[0],
): Promise<Figure[]> {
  const sender = meeting.on(await meeting.hosts.addWired());
  const link = await meeting.hosts.addImpaired(SEED);
  await link.change({ delay: delayMs, jitter: JITTER_MS });
  const receiver = meeting.on(link);
  await sender.join({ name: 'Sender', source: { clip }, receive: 'none' });
  const id = await receiver.watch({ name: 'Receiver', decode: true });
  say('waiting for 720p');
  await untilLines(720, WARM_UP_MS, [receiver, id]);
  const figures: Figure[] = [];
  for (const loss of LOSSES) {
    const name = `${Math.round(100 * loss)} % loss, ${delayMs} ms`;
    say(name);
    await link.change({ loss });
    await delay(quick ? QUICK_SETTLE_MS : SETTLE_MS);
    const from = sharedClockMs();
    await delay(quick ? QUICK_MEASURE_MS : MEASURE_MS);
    const interval = { from, to: sharedClockMs() };
    figures.push(...figuresOf(name, await receiver.recording(id), interval));
  }
  await link.change({ loss: 0 });
  const recording = await receiver.recording(id);
  await keep(`random-loss-${delayMs}`, recording);
  return figures;
}

function figuresOf(name: string, recording: Recording, interval: Interval): Figure[] {
  const frames = framesOf(recording, 'video');
  const audio = audioLoss(framesOf(recording, 'audio'), interval);
  const sound = concealment(recording, interval);
  const shares = LAYERS.map((lines) => ({ lines, share: shareAt(frames, lines, interval) }));
  const { lines, share } = shares.reduce((most, each) => (each.share > most.share ? each : most));
  const { count, longest, total } = freezes(frames, interval);
  const rule = ruleIn(recording, interval);
  const shown = lines === 0 ? 'no video' : `${lines}p`;
  return [
    { name: `${name}: pictures`, value: framesPerSecond(frames, interval), unit: '1/s' },
    { name: `${name}: freezes over 200 ms`, value: count, unit: '' },
    { name: `${name}: time frozen`, value: (100 * total) / (interval.to - interval.from), unit: '%' },
    { name: `${name}: longest pause`, value: longest, unit: 'ms' },
    {
      name: `${name}: delay for 95 % of the pictures to be in time`,
      value: playoutDelay(frames, 0.95, interval),
      unit: 'ms',
    },
    { name: `${name}: audio frames lost`, value: 100 * audio, unit: '%' },
    { name: `${name}: sound recovered by FEC`, value: 100 * sound.recovered, unit: '%' },
    { name: `${name}: sound concealed`, value: 100 * sound.concealed, unit: '%' },
    { name: `${name}: time at ${shown} (${rule})`, value: 100 * share, unit: '%' },
    { name: `${name}: corrupt pictures`, value: corruptIn(recording, interval), unit: '', target: 0 },
  ];
}

/** What the server last said before the end of the interval. */
function ruleIn({ announcements, audioOnly }: Recording, { to }: Interval): string {
  if (audioOnly.findLast(({ at }) => at < to)?.audioOnly) return 'audio only';
  return announcements.findLast(({ at }) => at < to)?.reason ?? 'not told';
}

function corruptIn({ pictures }: Recording, { from, to }: Interval): number {
  return pictures.filter(({ at, counter }) => at >= from && at < to && counter === undefined).length;
}
