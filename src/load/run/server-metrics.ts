/** Load of the server under test, as its `/metrics` tells it. */
import { request } from 'undici';

const INTERVAL_MS = 2_000;
/** A worker that is saturated answers late, and its load is what one wants to know then. */
const TIMEOUT_MS = 10_000;

export interface ServerLoad {
  /** Of the run, milliseconds. */
  readonly atMs: number;
  /** Shares of one core since the last reading: all SFU workers together, and the server's own process. */
  readonly workerCpu: number;
  readonly processCpu: number;
  /** Resident memory of the server's own process and of its workers, bytes. */
  readonly rssBytes: number;
  readonly participants: number;
}

/** Sums all samples of a metric in Prometheus' text format; `undefined` where there is none. */
export function sumOf(text: string, metric: string): number | undefined {
  let sum: number | undefined;
  for (const line of text.split('\n')) {
    if (!line.startsWith(metric)) continue;
    const match = /^([\w:]+)(?:\{.*\})?\s+(\S+)/.exec(line);
    if (match?.[1] === metric) sum = (sum ?? 0) + Number(match[2]);
  }
  return sum;
}

/** Reads the metrics every two seconds, for as long as there are some. */
export class ServerMetrics {
  readonly loads: ServerLoad[] = [];
  readonly #url: string;
  readonly #token: string | undefined;
  readonly #beganMs = performance.now();
  readonly #timer: NodeJS.Timeout;
  #last: { atMs: number; workerS: number; processS: number } | undefined;
  #reading: Promise<void> | undefined;

  constructor(server: string, token?: string) {
    this.#url = `${server}/metrics`;
    this.#token = token;
    this.#timer = setInterval(() => this.#read(), INTERVAL_MS);
    this.#read();
  }

  #read(): void {
    this.#reading ??= this.#readOnce()
      .catch(() => {
        // A server that is away, or not one of ours, has none.
      })
      .finally(() => {
        this.#reading = undefined;
      });
  }

  async #readOnce(): Promise<void> {
    const { statusCode, body } = await request(this.#url, {
      headers: this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` },
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
    });
    const text = await body.text();
    if (statusCode !== 200) return;
    const atMs = performance.now() - this.#beganMs;
    const workerS = sumOf(text, 'meet_worker_cpu_seconds_total');
    const processS = sumOf(text, 'process_cpu_seconds_total');
    if (workerS === undefined || processS === undefined) return;
    const last = this.#last;
    this.#last = { atMs, workerS, processS };
    // A server that was started anew counts from zero.
    if (last === undefined || workerS < last.workerS || processS < last.processS) return;
    const seconds = (atMs - last.atMs) / 1_000;
    this.loads.push({
      atMs,
      workerCpu: (workerS - last.workerS) / seconds,
      processCpu: (processS - last.processS) / seconds,
      rssBytes:
        (sumOf(text, 'process_resident_memory_bytes') ?? 0) + (sumOf(text, 'meet_worker_memory_bytes') ?? 0),
      participants: sumOf(text, 'meet_participants') ?? 0,
    });
  }

  async close(): Promise<readonly ServerLoad[]> {
    clearInterval(this.#timer);
    await this.#reading;
    return this.loads;
  }
}
