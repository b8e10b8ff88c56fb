/** A publisher's uplink becomes too narrow for all layers: what receivers of each layer see of it. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Figure } from '../../harness/figure.ts';
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

const WIDE = 5_000_000;
const NARROW = 400_000;
/** The lowest layer and the sound fit into it, the one above does not. */
const FITTING = 180;
/** One receiver for each layer, so that all of them are sent. */
const WATCHED = [180, 360, 720];
const STEP_MS = 20_000;
const QUICK_STEP_MS = 10_000;
const WARM_UP_MS = 30_000;
/** The publisher has so long to see it and to act. */
const SETTLE_MS = 1_500;
const AUDIO_SETTLE_MS = 1_000;

/** Targets. */
const WRONG_SHARE = 10;

export const uplink: Scenario = {
  name: 'uplink',
  title: "a publisher's uplink at 5 Mbit/s, 400 kbit/s and 5 Mbit/s again, seen by receivers of each layer",
  run: ({ quick, say, keep }) =>
    BenchMeeting.run(async (meeting) => {
      const clip = await preparedClip();
      const link = await meeting.hosts.addWired();
      await link.setRate('up', WIDE);
      const sender = meeting.on(link);
      const receivers = meeting.on(await meeting.hosts.addWired());
      const senderId = await sender.watch({ name: 'Sender', source: { clip }, receive: 'none' });
      const ids: string[] = [];
      for (const maxHeight of WATCHED)
        ids.push(
          await receivers.watch({ name: `${maxHeight} lines`, view: { layout: 'gallery', maxHeight } }),
        );
      say('waiting for all layers');
      for (const [index, lines] of WATCHED.entries())
        await untilLines(lines, WARM_UP_MS, [receivers, ids[index]!]);
      const intervals: Interval[] = [];
      for (const rate of [WIDE, NARROW, WIDE]) {
        say(`${rate / 1000} kbit/s`);
        if (intervals.length > 0) await link.setRate('up', rate);
        const from = sharedClockMs();
        await delay(rate === NARROW || !quick ? STEP_MS : QUICK_STEP_MS);
        intervals.push({ from, to: sharedClockMs() });
      }
      const figures: Figure[] = [];
      for (const [index, lines] of WATCHED.entries()) {
        const recording = await receivers.recording(ids[index]!);
        await keep(`uplink-${lines}`, recording);
        figures.push(...figuresOf(lines, recording, intervals));
      }
      await keep('uplink-sender', await sender.recording(senderId));
      return figures;
    }),
};

function figuresOf(lines: number, recording: Recording, [, fall, rise]: readonly Interval[]): Figure[] {
  const frames = framesOf(recording, 'video');
  const audio = framesOf(recording, 'audio');
  const settled = { from: fall!.from + SETTLE_MS, to: fall!.to };
  const wrong = 100 * (1 - shareAt(frames, FITTING, settled));
  const heard = audioLoss(audio, { from: fall!.from + AUDIO_SETTLE_MS, to: fall!.to });
  const name = `receiver of ${lines}p`;
  // The others change their layer meanwhile.
  const whole = lines === FITTING ? { target: 0 } : {};
  const figures: Figure[] = [
    { name: `${name}: settled, time without ${FITTING}p`, value: wrong, unit: '%', target: WRONG_SHARE },
    { name: `${name}: settled, pictures`, value: framesPerSecond(frames, settled), unit: '1/s' },
    {
      name: `${name}: settled, freezes over 200 ms`,
      value: freezes(frames, settled).count,
      unit: '',
      ...whole,
    },
    { name: `${name}: longest pause at the fall`, value: pauseAt(frames, fall!), unit: 'ms' },
    { name: `${name}: audio frames lost`, value: 100 * heard, unit: '%' },
  ];
  if (lines === FITTING) return figures;
  const backAt = reachedAt(frames, lines, rise!) ?? Number.POSITIVE_INFINITY;
  return [
    ...figures,
    {
      name: `${name}: down to ${FITTING}p after`,
      value: fellAt(frames, FITTING, fall!) - fall!.from,
      unit: 'ms',
    },
    { name: `${name}: back after`, value: backAt - rise!.from, unit: 'ms' },
  ];
}

function pauseAt(frames: Parameters<typeof freezes>[0], { from }: Interval): number {
  return freezes(frames, { from, to: from + SETTLE_MS }).longest;
}
