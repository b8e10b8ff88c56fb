/** Whether a selected pair still works, by consent checks (RFC 7675) that are sent more often in silence. */

/** A check goes out when nothing came for this long, and is repeated until it is answered. */
const SILENCE_MS = 500;
const REPEAT_MS = 300;
/** While packets come, consent is asked for every 4 to 6 s (RFC 7675 section 5.1). */
const CONSENT_MS = 5000;
/**
 * Unanswered for this long, in silence, means disconnected. Three times the longest real round trip
 * (500 ms), so that a slow path does not flap.
 */
const LOST_MS = 1500;
/** The same while packets still come: perhaps only our direction is cut, perhaps the checks are rate-limited. */
const ONE_WAY_MS = 5000;
/** Without an answer for this long there is no consent to send any more. */
const FAILED_MS = 30_000;
const TICK_MS = 250;
/** A tick that is this late means that this process, not the path, stood still. */
const STALL_MS = 1000;

export type Liveness = 'connected' | 'disconnected' | 'failed';

export class LivenessMonitor {
  /** `performance.now()` of the last packet of any kind. */
  lastReceivedAt = performance.now();
  readonly #sendCheck: () => void;
  readonly #onChange: (liveness: Liveness) => void;
  readonly #timer: NodeJS.Timeout;
  #state: Liveness = 'connected';
  #lastAnsweredAt = performance.now();
  #unansweredSince: number | undefined;
  #brokenAt: number | undefined;
  #nextCheckAt = 0;
  #lastCheckAt = 0;
  #lastTickAt = performance.now();

  constructor(sendCheck: () => void, onChange: (liveness: Liveness) => void) {
    this.#sendCheck = sendCheck;
    this.#onChange = onChange;
    this.#scheduleConsent(this.#lastTickAt);
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  get state(): Liveness {
    return this.#state;
  }

  /** A check was answered. */
  answered(): void {
    const now = performance.now();
    this.#lastAnsweredAt = now;
    this.#unansweredSince = undefined;
    this.#brokenAt = undefined;
    this.#scheduleConsent(now);
    this.#change('connected');
  }

  /** The path is known to be broken (a closed connection, ICMP), until an answer comes after all. */
  broken(): void {
    this.#brokenAt = performance.now();
    this.#unansweredSince ??= this.#brokenAt;
    this.#change('disconnected');
  }

  #scheduleConsent(now: number): void {
    this.#nextCheckAt = now + CONSENT_MS * (0.8 + 0.4 * Math.random());
  }

  #tick(): void {
    const now = performance.now();
    if (now - this.#lastTickAt > STALL_MS && this.#unansweredSince !== undefined) this.#unansweredSince = now;
    this.#lastTickAt = now;
    const silent = now - this.lastReceivedAt >= SILENCE_MS;
    const waiting = silent || this.#unansweredSince !== undefined;
    if (now >= this.#nextCheckAt || (waiting && now - this.#lastCheckAt >= REPEAT_MS)) {
      this.#lastCheckAt = now;
      this.#scheduleConsent(now);
      this.#unansweredSince ??= now;
      this.#sendCheck();
    }
    this.#judge(now);
  }

  #judge(now: number): void {
    if (now - this.#lastAnsweredAt >= FAILED_MS) {
      this.#change('failed');
      return;
    }
    const since = this.#unansweredSince;
    if (since === undefined || this.#brokenAt !== undefined) return;
    const limit = this.lastReceivedAt > since ? ONE_WAY_MS : LOST_MS;
    this.#change(now - since >= limit ? 'disconnected' : 'connected');
  }

  #change(state: Liveness): void {
    if (this.#state === state || this.#state === 'failed') return;
    this.#state = state;
    this.#onChange(state);
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
