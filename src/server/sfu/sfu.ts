/** The selective forwarding unit: workers and the rooms on them. */
import { EventEmitter } from 'node:events';
import { availableParallelism } from 'node:os';
import { setLogEventListeners } from 'mediasoup';
import { expandListen } from './listen.ts';
import { SfuRoom } from './room.ts';
import type { Peer, Room, SfuEvents, SfuLogger, SfuOptions, WorkerInfo, WorkerUsage } from './types.ts';
import { WorkerPool } from './workers.ts';

/**
 * A consumer ends with its producer or its transport in the worker, and with its receiver here: whichever is second
 * finds it gone, as does an answer that was on its way.
 */
const ENDED_BEFORE = /not found \[method:(?:transport\.closeConsumer|consumer\.resume)\]/;

const levelOf = <L extends string>(log: string, level: L): L | 'debug' =>
  ENDED_BEFORE.test(log) ? 'debug' : level;

export class Sfu extends EventEmitter<SfuEvents> {
  readonly #pool: WorkerPool;
  readonly #logger: SfuLogger;
  readonly #rooms = new Set<SfuRoom>();
  #closed: Promise<void> | undefined;

  private constructor(pool: WorkerPool, logger: SfuLogger) {
    super();
    this.#pool = pool;
    this.#logger = logger;
    pool.on('worker-died', (info) => this.emit('worker-died', info));
    pool.on('worker-started', (info) => this.emit('worker-started', info));
  }

  /** @throws MeetError `worker-missing`, `port-in-use`, `no-permission`, `bad-config`, `worker-died` */
  static async start(options: SfuOptions): Promise<Sfu> {
    const { logger } = options;
    setLogEventListeners({
      onwarn: (namespace, log) => logger[levelOf(log, 'warn')]({ from: namespace }, log),
      onerror: (namespace, log, error) => logger[levelOf(log, 'error')]({ from: namespace, err: error }, log),
    });
    const pool = await WorkerPool.start({
      ...(options.workerBin === undefined ? {} : { workerBin: options.workerBin }),
      listen: expandListen(options.listen),
      ports: { udp: options.udpPort ?? 0, tcp: options.tcpPort ?? 0 },
      size: options.numWorkers ?? availableParallelism(),
      logger,
    });
    return new Sfu(pool, logger);
  }

  /** @throws MeetError `worker-died` when no worker is alive for too long, `server-stopping` */
  async createRoom(id: string): Promise<Room> {
    const room = await SfuRoom.create(id, { pool: this.#pool, logger: this.#logger });
    this.#rooms.add(room);
    room.on('layers-switched', (count) => this.emit('layers-switched', count));
    room.on('media-connected', (ms) => this.emit('media-connected', ms));
    room.onClosed(() => this.#rooms.delete(room));
    return room;
  }

  /** Number of rooms. */
  get rooms(): number {
    return this.#rooms.size;
  }

  /** Those in all rooms. */
  *peers(): Iterable<Peer> {
    for (const room of this.#rooms) yield* room.peers;
  }

  workers(): WorkerInfo[] {
    return this.#pool.list();
  }

  resourceUsage(): Promise<WorkerUsage[]> {
    return this.#pool.resourceUsage();
  }

  /** Closes all rooms and ends the workers; resolves when their processes are gone. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    for (const room of this.#rooms) room.close();
    await this.#pool.close();
  }
}
