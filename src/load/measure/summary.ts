/** The figures of a run, or of a phase of it, by the names that thresholds use. */
import type { Unit } from '../scenario/condition.ts';
import { DurationHistogram } from './histogram.ts';
import { addCounters, type Counters, DURATIONS, type DurationName, noCounters } from './tally.ts';

/** Everything that was measured in a stretch of time. */
export class Measurements {
  readonly counters: Counters = noCounters();
  readonly durations = new Map<DurationName, DurationHistogram>();
  /** How long it took, milliseconds. */
  durationMs = 0;

  add(counters: Readonly<Counters>): void {
    addCounters(this.counters, counters);
  }

  addDurations(durations: ReadonlyMap<DurationName, DurationHistogram>): void {
    for (const [name, histogram] of durations) {
      let own = this.durations.get(name);
      if (own === undefined) {
        own = new DurationHistogram();
        this.durations.set(name, own);
      }
      own.add(histogram);
    }
  }
}

export interface Figure {
  readonly unit: Unit;
  /** What it is, for the documentation and the report. */
  readonly about: string;
  readonly of: (measured: Measurements) => number;
}

const ratio = (part: number, whole: number): number => (whole === 0 ? Number.NaN : part / whole);
const MINUTE_MS = 60_000;

/** Figures that are not percentiles of durations. */
export const SINGLE_FIGURES: Readonly<Record<string, Figure>> = {
  loss: {
    unit: 'share',
    about: 'packets that did not come at first, before retransmission',
    of: ({ counters: { lost, expected } }) => ratio(lost, expected),
  },
  residual_loss: {
    unit: 'share',
    about: 'packets that no retransmission brought in time either',
    of: ({ counters: { unrepaired, expected } }) => ratio(unrepaired, expected),
  },
  freezes_per_minute: {
    unit: 'number',
    about: 'times that a picture came more than 200 ms late, for each minute of each video watched',
    of: ({ counters: { freezes, watchedMs } }) => ratio(freezes * MINUTE_MS, watchedMs),
  },
  frozen: {
    unit: 'share',
    about: 'share of the time in which a picture stood still',
    of: ({ counters: { frozenMs, watchedMs } }) => ratio(frozenMs, watchedMs),
  },
  held_back: {
    unit: 'share',
    about: 'share of the time in which the server sent no picture, by its own word, for want of bandwidth',
    of: ({ counters: { heldBackMs, watchedMs } }) => ratio(heldBackMs, watchedMs),
  },
  fps: {
    unit: 'number',
    about: 'whole pictures a second of each video',
    of: ({ counters: { frames, watchedMs } }) => ratio(frames * 1_000, watchedMs),
  },
  bitrate: {
    unit: 'number',
    about: 'bits a second received, all bots together',
    of: ({ counters: { bytes }, durationMs }) => ratio(bytes * 8_000, durationMs),
  },
  packets_per_second: {
    unit: 'number',
    about: 'packets a second received, all bots together',
    of: ({ counters: { packets }, durationMs }) => ratio(packets * 1_000, durationMs),
  },
  joins: { unit: 'number', about: 'bots that joined', of: ({ counters: { joinsDone } }) => joinsDone },
  joins_failed: {
    unit: 'share',
    about: 'share of the joins that failed',
    of: ({ counters: { joinsFailed, joinsDone } }) => ratio(joinsFailed, joinsFailed + joinsDone),
  },
  dropped: {
    unit: 'number',
    about: 'bots that the server or the network ended',
    of: ({ counters: { dropped } }) => dropped,
  },
  reconnects: {
    unit: 'number',
    about: 'times that a bot lost its connection and came back',
    of: ({ counters: { reconnects } }) => reconnects,
  },
  chat_failed: {
    unit: 'number',
    about: 'chat messages that the server refused',
    of: ({ counters: { chatFailed } }) => chatFailed,
  },
  corrupt: {
    unit: 'number',
    about: 'checked packets that were not what the server should have sent',
    of: ({ counters: { corrupt } }) => corrupt,
  },
};

/** What is told of each duration: `join_p95`, `join_max` … */
const STATISTICS: Readonly<Record<string, (histogram: DurationHistogram) => number>> = {
  mean: (histogram) => histogram.meanMs,
  min: (histogram) => histogram.minMs,
  p50: (histogram) => histogram.percentileMs(50),
  p90: (histogram) => histogram.percentileMs(90),
  p95: (histogram) => histogram.percentileMs(95),
  p99: (histogram) => histogram.percentileMs(99),
  'p99.9': (histogram) => histogram.percentileMs(99.9),
  max: (histogram) => histogram.maxMs,
};

export const FIGURES: Readonly<Record<string, Figure>> = {
  ...SINGLE_FIGURES,
  ...Object.fromEntries(
    DURATIONS.flatMap((name) =>
      Object.entries(STATISTICS).map(([statistic, of]): [string, Figure] => [
        `${name}_${statistic}`,
        {
          unit: 'ms',
          about: `${statistic} of ${name}`,
          of: ({ durations }) => {
            const histogram = durations.get(name);
            return histogram === undefined ? Number.NaN : of(histogram);
          },
        },
      ]),
    ),
  ),
};

/** All figures that were measured, by name. */
export function figuresOf(measured: Measurements): Record<string, number> {
  return Object.fromEntries(
    Object.entries(FIGURES).flatMap(([name, figure]) => {
      const value = figure.of(measured);
      return Number.isNaN(value) ? [] : [[name, value]];
    }),
  );
}
