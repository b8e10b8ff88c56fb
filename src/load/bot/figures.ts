/** What one bot has measured, kept beside what its whole process has. */
import type { CounterName, DurationName, Tally } from '../measure/tally.ts';

/** A bot's own figures, which checks are made of. */
export interface BotRecord {
  /** Number of the bot in the run. */
  readonly id: number;
  readonly publishes: boolean;
  /** Milliseconds; absent where it never came to it. */
  joinMs?: number;
  firstMediaMs?: number;
  packets: number;
  bytes: number;
  expected: number;
  lost: number;
  unrepaired: number;
  frames: number;
  framesBroken: number;
  audioFrames: number;
  freezes: number;
  frozenMs: number;
  watchedMs: number;
  corrupt: number;
  reconnects: number;
  sentPackets: number;
  sentBytes: number;
  chatReceived: number;
  /** What ended it, where it was not told to leave. */
  error?: string;
}

const OWN = [
  'packets',
  'bytes',
  'expected',
  'lost',
  'unrepaired',
  'frames',
  'framesBroken',
  'audioFrames',
  'freezes',
  'frozenMs',
  'watchedMs',
  'corrupt',
  'reconnects',
  'sentPackets',
  'sentBytes',
  'chatReceived',
] as const satisfies readonly CounterName[];
const isOwn = new Set<CounterName>(OWN);

/** Counts for a bot and for its process at once. */
export class BotFigures {
  readonly record: BotRecord;
  readonly #tally: Tally;

  constructor(id: number, publishes: boolean, tally: Tally) {
    const zeros = Object.fromEntries(OWN.map((name) => [name, 0])) as Record<(typeof OWN)[number], number>;
    this.record = { id, publishes, ...zeros };
    this.#tally = tally;
  }

  add(name: CounterName, count = 1): void {
    this.#tally.counters[name] += count;
    if (isOwn.has(name)) this.record[name as (typeof OWN)[number]] += count;
  }

  time(name: DurationName, ms: number): void {
    this.#tally.durations[name].record(ms);
  }
}
