/** One measurement of one server. */
import type { Counters } from '../../src/load/measure/tally.ts';
import { median, quantile } from '../harness/figure.ts';
import { cpuUs, residentMiB } from '../harness/processes.ts';
import { Program } from '../harness/program.ts';
import type { PeerBotRequests } from '../programs/peer-bots.ts';
import type { SyntheticOptions } from '../programs/synthetic-source.ts';
import type { PeerAdapter } from './types.ts';

export interface Scene {
  readonly publishers: number;
  /** Each receives every publisher. */
  readonly receivers: number;
}

/**
 * Sound and a small picture of one packet: the packets are what costs, not their bytes. So few that either server and all
 * bots of the largest scene fit on two cores.
 */
const SOURCE: SyntheticOptions = { audioRate: 25, audioBytes: 80, videoRate: 10, videoBytes: 1_100 };
const SETTLE_MS = 2_000;
const WINDOW_MS = 8_000;

export interface Measurement {
  /** CPU of all the server's processes for each packet that arrived, microseconds. */
  readonly usAPacket: number;
  /** The same of the processes that carry media alone. */
  readonly mediaUsAPacket: number;
  readonly packetsASecond: number;
  /** Share of one core. */
  readonly cpu: number;
  readonly latencyP50Ms: number;
  readonly latencyP99Ms: number;
  readonly loss: number;
  readonly memoryMiB: number;
  readonly connectP50Ms: number;
  readonly srtp: string;
  /** Share of what was sent to the receivers that arrived in time; below 1 the machine was too small. */
  readonly delivered: number;
}

export async function measure(adapter: PeerAdapter, { publishers, receivers }: Scene): Promise<Measurement> {
  const server = await adapter.start();
  const programs = [0, 1].map(() => new Program<PeerBotRequests>('peer-bots'));
  try {
    const [senders, listeners] = programs as [Program<PeerBotRequests>, Program<PeerBotRequests>];
    for (const program of programs)
      await program.ask('connect', { adapter: adapter.name, address: server.address });
    const room = await server.openRoom();
    await senders.ask('publish', { room, count: publishers, source: SOURCE });
    const { connectMs, profiles } = await listeners.ask('receive', { room, count: receivers });
    await listeners.ask('probe', { room });
    await pause(SETTLE_MS);
    const { all, media } = await server.pids();
    const cpu = (pids: readonly number[]) => pids.reduce((sum, pid) => sum + cpuUs(pid), 0);
    await listeners.ask('startLatencies');
    const before = await listeners.ask('counters');
    const [cpuBefore, mediaBefore, beganMs] = [cpu(all), cpu(media), performance.now()];
    await pause(WINDOW_MS);
    const [cpuAfter, mediaAfter, ms] = [cpu(all), cpu(media), performance.now() - beganMs];
    const after = await listeners.ask('counters');
    const latencies = await listeners.ask('takeLatencies');
    const since = (name: keyof Counters) => after[name] - before[name];
    const packets = since('packets');
    // The probe's packets cost the server as much as a bot's.
    const served = packets * ((receivers + 1) / receivers);
    const due = (publishers * receivers * (SOURCE.audioRate + SOURCE.videoRate) * ms) / 1_000;
    return {
      usAPacket: (cpuAfter - cpuBefore) / served,
      mediaUsAPacket: (mediaAfter - mediaBefore) / served,
      packetsASecond: (packets * 1_000) / ms,
      cpu: (cpuAfter - cpuBefore) / 1_000 / ms,
      latencyP50Ms: median(latencies),
      latencyP99Ms: quantile(latencies, 0.99),
      loss: since('lost') / since('expected'),
      memoryMiB: all.reduce((sum, pid) => sum + residentMiB(pid), 0),
      connectP50Ms: median(connectMs),
      srtp: profiles.join(', '),
      delivered: packets / due,
    };
  } finally {
    await Promise.all(programs.map((program) => program.close()));
    await server.close();
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
