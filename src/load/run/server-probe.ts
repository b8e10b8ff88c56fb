/** Asks the server every 100 ms whether it lives, so that a report can say when it was away and for how long. */
import { request } from 'undici';
import { networkReason } from '../../client/rest.ts';

const INTERVAL_MS = 100;
/** An answer that takes longer counts as an absence, milliseconds. A busy server answers within a tenth of it. */
const PATIENCE_MS = 300;
const TIMEOUT_MS = 2_000;

export interface Outage {
  /** Milliseconds since the run began. */
  readonly fromMs: number;
  /** From the last answer before it to the first one after it; to the run's end where there was none. */
  readonly ms: number;
  /** `refused`: nobody was there; `silent`: somebody was and did not answer. */
  readonly kind: 'refused' | 'silent';
  readonly reason: string;
  /** It was still away when the run ended. */
  readonly lasting: boolean;
}

export class ServerProbe {
  readonly #url: string;
  readonly #beganMs = performance.now();
  readonly #closing = new AbortController();
  readonly #outages: Outage[] = [];
  #lastAnswerMs = performance.now();
  #failure: Pick<Outage, 'kind' | 'reason'> | undefined;
  #running: Promise<void>;

  constructor(server: string) {
    this.#url = `${server}/healthz`;
    this.#running = this.#run();
  }

  /** The server does not answer now. */
  get away(): boolean {
    return this.#failure !== undefined;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const askedMs = performance.now();
      const failure = await this.#ask();
      if (signal.aborted) return;
      const now = performance.now();
      if (failure === undefined) this.#answered(askedMs, now);
      else this.#failure ??= failure;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, askedMs + INTERVAL_MS - now)));
    }
  }

  async #ask(): Promise<Pick<Outage, 'kind' | 'reason'> | undefined> {
    try {
      const { statusCode, body } = await request(this.#url, {
        headersTimeout: TIMEOUT_MS,
        bodyTimeout: TIMEOUT_MS,
        signal: this.#closing.signal,
      });
      await body.dump();
      // A server that stops says so until its sockets close.
      return statusCode < 500 ? undefined : { kind: 'refused', reason: `HTTP status ${statusCode}` };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const silent = code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_CONNECT_TIMEOUT';
      return { kind: silent ? 'silent' : 'refused', reason: networkReason(error) };
    }
  }

  #answered(askedMs: number, now: number): void {
    const late = now - askedMs > PATIENCE_MS ? { kind: 'silent' as const, reason: 'no answer' } : undefined;
    const failure = this.#failure ?? late;
    if (failure !== undefined) this.#add(failure, now, false);
    this.#failure = undefined;
    this.#lastAnswerMs = now;
  }

  #add(failure: Pick<Outage, 'kind' | 'reason'>, untilMs: number, lasting: boolean): void {
    const fromMs = this.#lastAnswerMs;
    this.#outages.push({ ...failure, fromMs: fromMs - this.#beganMs, ms: untilMs - fromMs, lasting });
  }

  async close(): Promise<readonly Outage[]> {
    if (!this.#closing.signal.aborted) {
      this.#closing.abort();
      await this.#running;
      if (this.#failure !== undefined) this.#add(this.#failure, performance.now(), true);
    }
    return this.#outages;
  }
}
