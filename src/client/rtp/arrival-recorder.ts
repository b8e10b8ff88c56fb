import type { TransportFeedback } from './rtcp/types.ts';
import type { Scheduler, Task } from './scheduler.ts';

/** Usual interval of feedback; bandwidth estimators want ten reports a second or more. */
const INTERVAL_MS = 100;
/** Feedback goes sooner when that many packets wait: it stays in one packet of the network. */
const MAX_WAITING = 200;
/** Packet statuses in one feedback packet: at two bytes of delta each it has at most 1 kB. */
const MAX_STATUSES = 400;
/** Arrivals reported before are told again when a late packet comes before them. */
const KEEP_MS = 500;
/** Further back than this is no reordering. */
const MAX_BEHIND = 2000;
/** The reference time counts 64 ms, deltas 250 µs. */
const REFERENCE_MS = 64;
const DELTAS_PER_MS = 4;
const MAX_DELTA = 32_767;

export interface ArrivalRecorderOptions {
  readonly scheduler: Scheduler;
  readonly senderSsrc: number;
  readonly send: (feedback: TransportFeedback) => void;
  /** Interval of feedback, milliseconds; default 100. libwebrtc's is between 50 and 250 ms. */
  readonly intervalMs?: number;
}

/**
 * Receiver side of transport-wide congestion control: notes when each packet of the session came and reports it.
 */
export class ArrivalRecorder {
  readonly #options: ArrivalRecorderOptions;
  readonly #task: Task;
  readonly #intervalMs: number;
  /** Arrival by unwrapped transport-wide number, in milliseconds. */
  readonly #arrivals = new Map<number, number>();
  #highest: number | undefined;
  /** First number that no feedback has told of. */
  #next = 0;
  /** Lowest number that came since the last feedback. */
  #lowest = Number.POSITIVE_INFINITY;
  #waiting = 0;
  #mediaSsrc = 0;
  #feedbackCount = 0;

  constructor(options: ArrivalRecorderOptions) {
    this.#options = options;
    this.#intervalMs = options.intervalMs ?? INTERVAL_MS;
    this.#task = options.scheduler.task(() => this.#report());
  }

  received(sequenceNumber: number, mediaSsrc: number, nowMs: number): void {
    this.#mediaSsrc = mediaSsrc;
    let sequence = sequenceNumber;
    if (this.#highest === undefined) {
      this.#next = sequence;
      this.#highest = sequence;
    } else {
      sequence = this.#highest + (((sequenceNumber - this.#highest) << 16) >> 16);
      if (sequence < this.#highest - MAX_BEHIND || this.#arrivals.has(sequence)) return;
      if (sequence > this.#highest) this.#highest = sequence;
    }
    this.#arrivals.set(sequence, nowMs);
    if (sequence < this.#lowest) this.#lowest = sequence;
    this.#waiting += 1;
    this.#task.schedule(this.#waiting >= MAX_WAITING ? nowMs : nowMs + this.#intervalMs);
  }

  #report(): void {
    const nowMs = this.#options.scheduler.now();
    const end = (this.#highest ?? -1) + 1;
    let at = Math.min(this.#lowest, this.#next);
    // A sender that skips half the range has begun anew: there is nothing to tell about what lies between.
    if (end - at > MAX_BEHIND) at = this.#firstArrivalFrom(Math.max(at, end - MAX_BEHIND), end);
    while (at < end) at = this.#reportFrom(at, end);
    this.#next = end;
    this.#lowest = Number.POSITIVE_INFINITY;
    this.#waiting = 0;
    for (const [sequence, arrivedMs] of this.#arrivals) {
      if (nowMs - arrivedMs <= KEEP_MS) break;
      this.#arrivals.delete(sequence);
    }
  }

  #firstArrivalFrom(from: number, end: number): number {
    let at = from;
    while (at < end && !this.#arrivals.has(at)) at += 1;
    return at;
  }

  /** Sends one feedback packet; gives the number that the next one begins with. */
  #reportFrom(base: number, end: number): number {
    const first = this.#firstArrivalFrom(base, end);
    if (first === end) return end;
    const referenceTime = Math.floor(this.#arrivals.get(first)! / REFERENCE_MS);
    let lastTicks = referenceTime * REFERENCE_MS * DELTAS_PER_MS;
    const deltas: (number | undefined)[] = [];
    let at = Math.max(base, first - MAX_STATUSES + 1);
    const start = at;
    for (; at < end && deltas.length < MAX_STATUSES; at += 1) {
      const arrivedMs = this.#arrivals.get(at);
      if (arrivedMs === undefined) {
        deltas.push(undefined);
        continue;
      }
      const ticks = Math.round(arrivedMs * DELTAS_PER_MS);
      if (Math.abs(ticks - lastTicks) > MAX_DELTA) break;
      deltas.push(ticks - lastTicks);
      lastTicks = ticks;
    }
    this.#options.send({
      type: 'transport-feedback',
      senderSsrc: this.#options.senderSsrc,
      mediaSsrc: this.#mediaSsrc,
      baseSequence: start & 0xffff,
      // 24 bits, signed: the sender cares for differences only.
      referenceTime: (referenceTime << 8) >> 8,
      feedbackCount: this.#feedbackCount,
      deltas,
    });
    this.#feedbackCount = (this.#feedbackCount + 1) & 0xff;
    return at;
  }
}
