/** The pool of workers: a dead one is replaced at once, with backoff while that fails. */
import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { MeetError } from '../../protocol/errors.ts';
import type { SfuEvents, SfuLogger, WorkerInfo, WorkerUsage } from './types.ts';
import { MediaWorker, type MediaWorkerOptions } from './worker.ts';

const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 2_000;
/** How long a room may wait for a worker when none is alive. */
const ACQUIRE_TIMEOUT_MS = 10_000;

export interface WorkerPoolOptions extends MediaWorkerOptions {
  readonly size: number;
  readonly logger: SfuLogger;
}

interface PoolEvents extends SfuEvents {
  /** Before `worker-died`, for those who have something on the worker. */
  lost: [worker: MediaWorker];
}

export class WorkerPool extends EventEmitter<PoolEvents> {
  readonly #options: WorkerPoolOptions;
  readonly #workers = new Set<MediaWorker>();
  readonly #replacements = new Set<Promise<void>>();
  readonly #closing = new AbortController();

  private constructor(options: WorkerPoolOptions) {
    super();
    // Each room listens.
    this.setMaxListeners(0);
    this.#options = options;
  }

  /** @throws MeetError of the first worker that cannot be started; none is left running then. */
  static async start(options: WorkerPoolOptions): Promise<WorkerPool> {
    const pool = new WorkerPool(options);
    const { ports, size } = options;
    const starts = Array.from({ length: size }, (_, index) =>
      pool.#start({
        udp: ports.udp === 0 ? 0 : ports.udp + index,
        tcp: ports.tcp === 0 ? 0 : ports.tcp + index,
      }),
    );
    const failed = (await Promise.allSettled(starts)).find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') {
      await pool.close();
      throw failed.reason;
    }
    return pool;
  }

  /**
   * The worker with the fewest connections, with one room more counted on it: whoever gives the room up takes it off
   * again. Waits for a replacement when none is alive.
   */
  async acquire(): Promise<MediaWorker> {
    const timeout = AbortSignal.timeout(ACQUIRE_TIMEOUT_MS);
    while (!this.#closing.signal.aborted) {
      const [best] = [...this.#workers]
        .filter(({ alive }) => alive)
        .sort((a, b) => a.connections - b.connections || a.rooms - b.rooms);
      if (best !== undefined) {
        best.rooms++;
        return best;
      }
      try {
        await EventEmitter.once(this, 'worker-started', {
          signal: AbortSignal.any([timeout, this.#closing.signal]),
        });
      } catch (error) {
        if (this.#closing.signal.aborted) break;
        throw new MeetError('worker-died', 'No SFU worker is running at the moment.', { cause: error });
      }
    }
    throw new MeetError('server-stopping', 'The server is shutting down.');
  }

  list(): WorkerInfo[] {
    return [...this.#workers].map(({ pid, rooms, ports }) => ({
      pid,
      rooms,
      udpPort: ports.udp,
      tcpPort: ports.tcp,
    }));
  }

  async resourceUsage(): Promise<WorkerUsage[]> {
    const usages = await Promise.allSettled([...this.#workers].map((worker) => worker.resourceUsage()));
    // One that died meanwhile has no usage.
    return usages.flatMap((usage) => (usage.status === 'fulfilled' ? [usage.value] : []));
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#replacements);
    await Promise.all([...this.#workers].map((worker) => worker.close()));
    this.#workers.clear();
  }

  async #start(ports: MediaWorkerOptions['ports']): Promise<void> {
    const worker = await MediaWorker.start({ ...this.#options, ports });
    if (this.#closing.signal.aborted) {
      await worker.close();
      return;
    }
    this.#workers.add(worker);
    worker.onDied((error) => this.#died(worker, error));
    // It may have died between its start and here.
    if (!worker.alive) this.#died(worker, new Error('ended while it was starting'));
    else this.emit('worker-started', { pid: worker.pid });
  }

  #died(worker: MediaWorker, error: Error): void {
    if (!this.#workers.delete(worker) || this.#closing.signal.aborted) return;
    this.#options.logger.error({ pid: worker.pid, err: error }, 'SFU worker died');
    const replacement = this.#replace(worker);
    this.#replacements.add(replacement);
    void replacement.finally(() => this.#replacements.delete(replacement));
    this.emit('lost', worker);
    this.emit('worker-died', { pid: worker.pid, error });
  }

  /** Takes over the dead worker's ports, which clients and firewalls know; the kernel may still hold them. */
  async #replace({ ports }: MediaWorker): Promise<void> {
    for (
      let wait = FIRST_RETRY_MS;
      !this.#closing.signal.aborted;
      wait = Math.min(wait * 2, LONGEST_RETRY_MS)
    ) {
      try {
        await this.#start(ports);
        return;
      } catch (error) {
        this.#options.logger.warn({ err: error }, `SFU worker could not be replaced, again in ${wait} ms`);
        await delay(wait, undefined, { signal: this.#closing.signal }).catch(() => undefined);
      }
    }
  }
}
