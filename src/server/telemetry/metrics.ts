/** The server's figures for Prometheus. No label names a meeting or a participant. */
import { readFile } from 'node:fs/promises';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ServerLogger } from '../config.ts';
import type { Sfu, WorkerUsage } from '../sfu/index.ts';
import { type TrafficDelta, TrafficMeter } from './traffic-meter.ts';

const JOIN_BUCKETS_S = [0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30];
const JITTER_BUCKETS_S = [0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5];
const ROUND_TRIP_BUCKETS_S = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.5];
const PAGE_BYTES = 4_096;

export interface MetricsOptions {
  readonly sfu: Sfu;
  readonly logger: ServerLogger;
}

export class Metrics {
  readonly #registry = new Registry();
  readonly #sfu: Sfu;
  readonly #meter: TrafficMeter;
  readonly #stream: ReturnType<typeof streamMetrics>;
  /** CPU time of workers that have ended, by the label of the one that has taken their place. */
  readonly #endedCpu = new Map<string, { pid: number; seconds: number; before: number }>();

  constructor({ sfu, logger }: MetricsOptions) {
    this.#sfu = sfu;
    collectDefaultMetrics({ register: this.#registry });
    this.#stream = streamMetrics(this.#registry);
    this.#gauges();
    this.#events();
    this.#workers();
    this.#meter = new TrafficMeter({
      peers: () => sfu.peers(),
      onDelta: (delta) => this.#count(delta),
      onError: (error) => logger.debug({ err: error }, 'Statistics of a participant could not be read'),
    });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** All figures in Prometheus' text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  close(): void {
    this.#meter.close();
    this.#registry.clear();
  }

  #gauges(): void {
    const sfu = this.#sfu;
    const gauge = (name: string, help: string, collect: (set: Gauge) => void, labelNames: string[] = []) =>
      new Gauge({
        name,
        help,
        labelNames,
        registers: [this.#registry],
        collect() {
          collect(this);
        },
      });
    gauge('meet_meetings', 'Meetings with somebody in them', (one) => one.set(sfu.rooms));
    gauge('meet_participants', 'Participants in all meetings', (one) => one.set([...sfu.peers()].length));
    gauge('meet_producers', 'Tracks that participants send', (one) => {
      one.set([...sfu.peers()].reduce((sum, { streamCounts }) => sum + streamCounts.producers, 0));
    });
    gauge('meet_consumers', 'Tracks that participants receive, each counted for each receiver', (one) => {
      one.set([...sfu.peers()].reduce((sum, { streamCounts }) => sum + streamCounts.consumers, 0));
    });
  }

  #events(): void {
    const registers = [this.#registry];
    const switches = new Counter({
      name: 'meet_layer_switches_total',
      help: 'Times that a video was sent to a receiver in another layer, or no more',
      registers,
    });
    const joins = new Histogram({
      name: 'meet_join_seconds',
      help: "From a participant's first signaling connection to their first media connection",
      buckets: JOIN_BUCKETS_S,
      registers,
    });
    const deaths = new Counter({
      name: 'meet_worker_deaths_total',
      help: 'SFU workers that ended without having been told to',
      registers,
    });
    this.#sfu.on('layers-switched', (count) => switches.inc(count));
    this.#sfu.on('media-connected', (ms) => joins.observe(ms / 1_000));
    this.#sfu.on('worker-died', () => deaths.inc());
  }

  #workers(): void {
    const sfu = this.#sfu;
    const cpuSeconds = (label: string, usage: WorkerUsage) => this.#cpuSeconds(label, usage);
    const registers = [this.#registry];
    // Its name stays when a worker is replaced: the port does.
    const labelNames = ['port'];
    const memory = new Gauge({
      name: 'meet_worker_memory_bytes',
      help: 'Resident memory of an SFU worker',
      labelNames,
      registers,
    });
    const rooms = new Gauge({
      name: 'meet_worker_rooms',
      help: 'Meetings that an SFU worker carries',
      labelNames,
      registers,
    });
    new Counter({
      name: 'meet_worker_cpu_seconds_total',
      help: 'CPU time of an SFU worker, user and system',
      labelNames,
      registers,
      async collect() {
        const usages = new Map((await sfu.resourceUsage()).map((usage) => [usage.pid, usage]));
        for (const one of [this, memory, rooms]) one.reset();
        for (const worker of sfu.workers()) {
          const label = { port: String(worker.udpPort) };
          rooms.set(label, worker.rooms);
          const usage = usages.get(worker.pid);
          if (usage === undefined) continue;
          this.inc(label, cpuSeconds(label.port, usage));
          memory.set(label, await residentBytes(usage));
        }
      },
    });
  }

  /** A counter must not fall when another process takes a worker's place. */
  #cpuSeconds(label: string, { pid, userMs, systemMs }: WorkerUsage): number {
    const seconds = (userMs + systemMs) / 1_000;
    const last = this.#endedCpu.get(label);
    const before = last === undefined ? 0 : last.pid === pid ? last.before : last.before + last.seconds;
    this.#endedCpu.set(label, { pid, seconds, before });
    return before + seconds;
  }

  #count({ direction, kind, packets, bytes, lost, jitterMs, rttMs }: TrafficDelta): void {
    const label = { direction, kind };
    const stream = this.#stream;
    stream.packets.inc(label, packets);
    stream.bytes.inc(label, bytes);
    stream.lost.inc(label, lost);
    if (packets > 0) stream.jitter.observe(label, jitterMs / 1_000);
    if (rttMs !== undefined && rttMs > 0) stream.roundTrip.observe(label, rttMs / 1_000);
  }
}

/** Figures of the media, by direction (`in`: from participants to the server) and kind. */
function streamMetrics(registry: Registry) {
  const common = { labelNames: ['direction', 'kind'] as const, registers: [registry] };
  return {
    packets: new Counter({ ...common, name: 'meet_rtp_packets_total', help: 'RTP packets of media' }),
    bytes: new Counter({ ...common, name: 'meet_rtp_bytes_total', help: 'Bytes of these packets' }),
    lost: new Counter({
      ...common,
      name: 'meet_rtp_packets_lost_total',
      help: 'RTP packets that did not arrive: at the server (in), or at participants by their reports (out)',
    }),
    jitter: new Histogram({
      ...common,
      name: 'meet_rtp_jitter_seconds',
      help: 'Interarrival jitter of the streams (RFC 3550 section 6.4.1), as last read',
      buckets: JITTER_BUCKETS_S,
    }),
    roundTrip: new Histogram({
      ...common,
      name: 'meet_rtp_round_trip_seconds',
      help: 'Round trip to the participants, as last read',
      buckets: ROUND_TRIP_BUCKETS_S,
    }),
  };
}

/** Of now where the system tells it, else the largest so far. */
async function residentBytes({ pid, maxRssKiB }: WorkerUsage): Promise<number> {
  const statm = await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => undefined);
  const pages = Number(statm?.split(' ')[1]);
  return pages > 0 ? pages * PAGE_BYTES : maxRssKiB * 1_024;
}
