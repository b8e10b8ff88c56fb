/** Watches whether the driver keeps up: a tester that is late measures itself. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { DriverHealth } from './protocol.ts';
import { SocketDrops } from './socket-drops.ts';

const RESOLUTION_MS = 10;
const NS_PER_MS = 1e6;
/** Looking through all sockets takes some milliseconds where there are a thousand, so it is not done each second. */
const DROPS_EVERY = 5;

export class SelfWatch {
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  readonly #drops = new SocketDrops();
  #cpu = process.cpuUsage();
  #atMs = performance.now();
  #dropped = 0;
  #takes = 0;

  constructor() {
    this.#delay.enable();
  }

  /** Figures since the last call; `last` reads everything anew. */
  async take(last = false): Promise<DriverHealth> {
    const now = performance.now();
    const { user, system } = process.cpuUsage(this.#cpu);
    const cpu = (user + system) / 1000 / Math.max(1, now - this.#atMs);
    this.#cpu = process.cpuUsage();
    this.#atMs = now;
    // The monitor counts its own interval as a part of the delay.
    const delayMs = (ns: number) => Math.max(0, ns / NS_PER_MS - RESOLUTION_MS);
    const loopDelayP99Ms = this.#delay.count === 0 ? 0 : delayMs(this.#delay.percentile(99));
    const loopDelayMaxMs = this.#delay.count === 0 ? 0 : delayMs(this.#delay.max);
    this.#delay.reset();
    if (last || this.#takes++ % DROPS_EVERY === 0) this.#dropped = await this.#drops.read();
    return {
      cpu,
      loopDelayP99Ms,
      loopDelayMaxMs,
      socketDrops: this.#dropped,
      rssBytes: process.memoryUsage.rss(),
    };
  }

  close(): void {
    this.#delay.disable();
  }
}
