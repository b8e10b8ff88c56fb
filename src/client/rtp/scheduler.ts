import type { Clock } from './clock.ts';

/** Something that runs once at its due time, until it is scheduled again. */
export interface Task {
  /** Runs at `atMs` of the session's clock, or sooner when it is scheduled for sooner already. */
  schedule(atMs: number): void;
  cancel(): void;
}

interface Entry {
  due: number;
  readonly run: () => void;
}

const never = Number.POSITIVE_INFINITY;
/** A timer that is so late tells that the process was held up. */
const LATE_MS = 15;
/** Time for what came meanwhile to be read: libuv takes some 30 packets of a socket between two timers. */
const CATCH_UP_MS = 5;

/**
 * All the timing of a session on a single timer: hundreds of sessions run in one process, and an idle one
 * costs nothing.
 */
export class Scheduler {
  readonly #clock: Clock;
  readonly #entries = new Set<Entry>();
  #cancelTimer: (() => void) | undefined;
  #armedFor = never;
  #running = false;
  #catchingUp = false;
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  /** A task belongs to the scheduler from its first `schedule` to its run or cancellation. */
  task(run: () => void): Task {
    const entry: Entry = { due: never, run };
    return {
      schedule: (atMs) => {
        if (this.#closed || atMs >= entry.due) return;
        entry.due = atMs;
        this.#entries.add(entry);
        if (!this.#running) this.#arm(atMs);
      },
      cancel: () => {
        entry.due = never;
        this.#entries.delete(entry);
      },
    };
  }

  close(): void {
    this.#closed = true;
    this.#entries.clear();
    this.#disarm();
  }

  #disarm(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#armedFor = never;
  }

  #arm(due: number): void {
    if (due >= this.#armedFor) return;
    this.#disarm();
    this.#armedFor = due;
    // A timer may fire a fraction of a millisecond early, which would cost a second one.
    const delay = Math.max(1, Math.ceil(due - this.#clock.now()));
    this.#cancelTimer = this.#clock.setTimer(() => this.#fire(), delay);
  }

  #fire(): void {
    const due = this.#armedFor;
    this.#cancelTimer = undefined;
    this.#armedFor = never;
    const now = this.#clock.now();
    // After a stall timers run before sockets are read. Packets that wait there must not be taken for lost.
    this.#catchingUp = now - due > LATE_MS && !this.#catchingUp;
    if (this.#catchingUp) {
      this.#arm(now + CATCH_UP_MS);
      return;
    }
    this.#running = true;
    try {
      for (const entry of [...this.#entries]) {
        if (entry.due > now || !this.#entries.delete(entry)) continue;
        entry.due = never;
        entry.run();
      }
    } finally {
      this.#running = false;
      let next = never;
      for (const entry of this.#entries) next = Math.min(next, entry.due);
      if (next !== never) this.#arm(next);
    }
  }
}
