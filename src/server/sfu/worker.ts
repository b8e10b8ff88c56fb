/** One mediasoup worker process and the ports on which it takes media. */
import { once } from 'node:events';
import { access, constants } from 'node:fs/promises';
import { createWorker, workerBin as defaultWorkerBin } from 'mediasoup';
import type { Router, WebRtcServer, Worker } from 'mediasoup/types';
import { MeetError } from '../../protocol/errors.ts';
import { MEDIA_CODECS } from './codecs.ts';
import { freeTcpPort, freeUdpPort, listenError, listenInfos, type Ports } from './listen.ts';
import type { ListenAddress, WorkerUsage } from './types.ts';

/** A free port may be taken by someone else before the worker binds it. */
const FREE_PORT_TRIES = 10;
/** A worker that does not end by itself in this time is killed. */
const CLOSE_TIMEOUT_MS = 2_000;

export interface MediaWorkerOptions {
  readonly workerBin?: string;
  readonly listen: readonly ListenAddress[];
  /** 0: any free port. */
  readonly ports: Ports;
}

export class MediaWorker {
  readonly #worker: Worker;
  readonly #server: WebRtcServer;
  readonly ports: Ports;
  /** Rooms that it carries. */
  rooms = 0;
  /** Connections that it carries: what its load grows with. */
  connections = 0;

  private constructor(worker: Worker, server: WebRtcServer, ports: Ports) {
    this.#worker = worker;
    this.#server = server;
    this.ports = ports;
  }

  /** @throws MeetError `worker-missing`, `port-in-use`, `no-permission`, `bad-config`, `worker-died` */
  static async start({ workerBin, listen, ports }: MediaWorkerOptions): Promise<MediaWorker> {
    const worker = await spawnWorker(workerBin ?? defaultWorkerBin);
    try {
      const { server, ports: bound } = await bind(worker, listen, ports);
      return new MediaWorker(worker, server, bound);
    } catch (error) {
      await endWorker(worker);
      throw error;
    }
  }

  get pid(): number {
    return this.#worker.pid;
  }

  get alive(): boolean {
    return !this.#worker.closed;
  }

  get webRtcServer(): WebRtcServer {
    return this.#server;
  }

  createRouter(): Promise<Router> {
    return this.#worker.createRouter({ mediaCodecs: [...MEDIA_CODECS] });
  }

  /** Calls back once if the process ends without {@link close}. */
  onDied(listener: (error: Error) => void): void {
    this.#worker.once('died', listener);
  }

  async resourceUsage(): Promise<WorkerUsage> {
    const usage = await this.#worker.getResourceUsage();
    return {
      pid: this.pid,
      userMs: usage.ru_utime,
      systemMs: usage.ru_stime,
      maxRssKiB: usage.ru_maxrss,
    };
  }

  close(): Promise<void> {
    return endWorker(this.#worker);
  }
}

async function spawnWorker(workerBin: string): Promise<Worker> {
  try {
    await access(workerBin, constants.X_OK);
  } catch (error) {
    throw new MeetError('worker-missing', `The SFU worker is not at ${workerBin}.`, {
      cause: error,
      hint: 'Run `meet setup`.',
    });
  }
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const before = signals.map((signal) => process.listeners(signal));
  const starting = createWorker({ workerBin, logLevel: 'warn' });
  // mediasoup closes its workers by itself on these signals, which would cut every stream before participants are
  // told that the server stops. It adds its listeners before createWorker() returns.
  signals.forEach((signal, index) => {
    for (const listener of process.listeners(signal)) {
      if (!before[index]!.includes(listener)) process.removeListener(signal, listener);
    }
  });
  try {
    return await starting;
  } catch (error) {
    throw new MeetError('worker-died', 'The SFU worker ended while it was starting.', {
      cause: error,
      hint: 'Run `meet doctor`, which says whether the worker fits this machine.',
    });
  }
}

async function bind(
  worker: Worker,
  listen: readonly ListenAddress[],
  wanted: Ports,
): Promise<{ server: WebRtcServer; ports: Ports }> {
  const anyPort = wanted.udp === 0 || wanted.tcp === 0;
  for (let attempt = 1; ; attempt++) {
    let ports = wanted;
    try {
      ports = {
        udp: wanted.udp || (await freeUdpPort(listen[0]!.ip)),
        tcp: wanted.tcp || (await freeTcpPort(listen[0]!.ip)),
      };
      const server = await worker.createWebRtcServer({ listenInfos: listenInfos(listen, ports) });
      return { server, ports };
    } catch (error) {
      const cause = listenError(error, listen, ports);
      if (cause.code !== 'port-in-use' || !anyPort || attempt === FREE_PORT_TRIES) throw cause;
    }
  }
}

async function endWorker(worker: Worker): Promise<void> {
  if (worker.subprocessClosed) return;
  const ended = once(worker, 'subprocessclose', { signal: AbortSignal.timeout(CLOSE_TIMEOUT_MS) });
  worker.close();
  try {
    await ended;
  } catch {
    if (!worker.subprocessClosed) process.kill(worker.pid, 'SIGKILL');
  }
}
