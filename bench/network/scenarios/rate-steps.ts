/** A receiver's link becomes narrower in steps and wide again: what it gets, and what the others notice of it. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Figure, quantile } from '../../harness/figure.ts';
import { sharedClockMs } from '../../programs/synthetic-source.ts';
import {
  audioLoss,
  fellAt,
  framesOf,
  framesPerSecond,
  freezes,
  type Interval,
  reachedAt,
  shareAt,
} from '../analysis.ts';
import { preparedClip } from '../media/clip.ts';
import { BenchMeeting } from '../meeting.ts';
import { untilLines } from '../reach.ts';
import type { Recording } from '../recording.ts';
import type { Scenario } from '../scenario.ts';

interface Step {
  readonly rate: number;
  readonly name: string;
  /** Lines of the layer that the rules name, 0 for no video. */
  readonly lines: number;
}

const STEPS: readonly Step[] = [
  { rate: 5_000_000, name: '5 Mbit/s', lines: 720 },
  { rate: 1_000_000, name: '1 Mbit/s', lines: 360 },
  { rate: 300_000, name: '300 kbit/s', lines: 180 },
  { rate: 150_000, name: '150 kbit/s', lines: 0 },
  { rate: 5_000_000, name: '5 Mbit/s again', lines: 720 },
];
const STEP_MS = 20_000;
const QUICK_STEP_MS = 10_000;
/** Longest wait for the best layer before the first step. */
const WARM_UP_MS = 30_000;

/** Targets. */
const WRONG_SHARE = 10;
const FALL_MS = 1_500;
const VIDEO_BACK_MS = 8_000;
const BEST_BACK_MS = 15_000;
const AUDIO_LOST = 1;
/** The sound of a step is judged from here on. */
const AUDIO_SETTLE_MS = 1_000;

export const rateSteps: Scenario = {
  name: 'rate-steps',
  title: "a receiver's link at 5 Mbit/s, 1 Mbit/s, 300 kbit/s, 150 kbit/s and 5 Mbit/s again",
  run: ({ quick, say, keep }) =>
    BenchMeeting.run(async (meeting) => {
      const clip = await preparedClip();
      const sender = meeting.on(await meeting.hosts.addWired());
      const link = await meeting.hosts.addWired();
      await link.setRate('down', STEPS[0]!.rate);
      const narrow = meeting.on(link);
      const wide = meeting.on(await meeting.hosts.addWired());
      const senderId = await sender.watch({ name: 'Sender', source: { clip }, receive: 'none' });
      const id = await narrow.watch({ name: 'Narrow', decode: true });
      const others = [await wide.watch({ name: 'Other 1' }), await wide.watch({ name: 'Other 2' })];
      say('waiting for 720p');
      await untilLines(720, WARM_UP_MS, [narrow, id], ...others.map((other) => [wide, other] as const));
      const intervals: Interval[] = [];
      for (const [index, { rate, name }] of STEPS.entries()) {
        say(name);
        if (index > 0) await link.setRate('down', rate);
        const from = sharedClockMs();
        await delay(index === STEPS.length - 1 || !quick ? STEP_MS : QUICK_STEP_MS);
        intervals.push({ from, to: sharedClockMs() });
      }
      const recording = await narrow.recording(id);
      await keep('rate-steps', recording);
      await keep('rate-steps-sender', await sender.recording(senderId));
      const recordings = await Promise.all(others.map((other) => wide.recording(other)));
      await keep('rate-steps-other', recordings[0]!);
      return [
        ...figuresOf(recording, intervals),
        ...recordings.flatMap((recording, index) =>
          noticedBy(`other receiver ${index + 1}`, recording, intervals),
        ),
      ];
    }),
};

function figuresOf(recording: Recording, intervals: readonly Interval[]): Figure[] {
  const frames = framesOf(recording, 'video');
  const audio = framesOf(recording, 'audio');
  const figures: Figure[] = [];
  for (const [index, { name, lines }] of STEPS.entries()) {
    const interval = intervals[index]!;
    const before = STEPS[index - 1]?.lines ?? lines;
    const layer = lines === 0 ? 'no video' : `${lines}p`;
    if (before > lines) {
      const ms = fellAt(frames, lines, interval) - interval.from;
      figures.push({ name: `${name}: down to ${layer} after`, value: ms, unit: 'ms', target: FALL_MS });
    }
    if (before < lines) {
      const since = (from: number) =>
        (reachedAt(frames, from, interval) ?? Number.POSITIVE_INFINITY) - interval.from;
      figures.push(
        { name: `${name}: video after`, value: since(1), unit: 'ms', target: VIDEO_BACK_MS },
        { name: `${name}: ${layer} after`, value: since(lines), unit: 'ms', target: BEST_BACK_MS },
      );
    }
    const settleMs = before > lines ? FALL_MS : before < lines ? BEST_BACK_MS : 0;
    const settled = { from: interval.from + settleMs, to: interval.to };
    const wrong = 100 * (1 - shareAt(frames, lines, settled));
    const heard = audioLoss(audio, { from: interval.from + AUDIO_SETTLE_MS, to: interval.to });
    figures.push(
      {
        name: `${name}: settled, time with another layer than ${layer}`,
        value: wrong,
        unit: '%',
        target: WRONG_SHARE,
      },
      { name: `${name}: audio frames lost`, value: 100 * heard, unit: '%', target: AUDIO_LOST },
      { name: `${name}: pictures`, value: framesPerSecond(frames, settled), unit: '1/s' },
      {
        name: `${name}: freezes over 200 ms`,
        value: lines === 0 ? 0 : freezes(frames, settled).count,
        unit: '',
      },
      { name: `${name}: estimate, p50`, value: estimateIn(recording, interval) / 1000, unit: 'kbit/s' },
    );
  }
  const corrupt = recording.pictures.filter(({ counter }) => counter === undefined).length;
  figures.push({ name: 'decoded pictures that are corrupt', value: corrupt, unit: '', target: 0 });
  return figures;
}

function estimateIn({ samples }: Recording, { from, to }: Interval): number {
  const estimates = samples.flatMap(({ at, estimate }) =>
    at >= from && at < to && estimate !== undefined ? [estimate] : [],
  );
  return estimates.length === 0 ? 0 : quantile(estimates, 0.5);
}

function noticedBy(name: string, recording: Recording, intervals: readonly Interval[]): Figure[] {
  const whole = { from: intervals[0]!.from, to: intervals.at(-1)!.to };
  const frames = framesOf(recording, 'video');
  const audio = framesOf(recording, 'audio');
  return [
    {
      name: `${name}: time without 720p`,
      value: 100 * (1 - shareAt(frames, 720, whole)),
      unit: '%',
      target: 0,
    },
    { name: `${name}: freezes over 200 ms`, value: freezes(frames, whole).count, unit: '', target: 0 },
    { name: `${name}: pictures`, value: framesPerSecond(frames, whole), unit: '1/s' },
    { name: `${name}: audio frames lost`, value: 100 * audioLoss(audio, whole), unit: '%', target: 0 },
  ];
}
