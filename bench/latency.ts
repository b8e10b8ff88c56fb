/** What the server adds to the way of a packet, in a meeting of 20 where everybody sends and receives everybody. */
import { type Benchmark, type Figure, type Say, spread } from './harness/figure.ts';
import { Program } from './harness/program.ts';
import { startMeasuredServer } from './harness/server.ts';
import type { ForwarderRequests } from './programs/forwarder.ts';
import type { ParticipantRequests } from './programs/participants.ts';
import type { SyntheticOptions } from './programs/synthetic-source.ts';
import type { UdpParticipantRequests } from './programs/udp-participants.ts';

const PARTICIPANTS = 20;
/** In two processes, so that few packets meet their sender's own event loop. */
const IN_EACH_PROCESS = PARTICIPANTS / 2;
/** Whose sound the server forwards: that of the loudest. */
const VOICES = 4;
const WINDOW_MS = 6_000;
/** After the last join, for the senders' first reports and the server's bandwidth estimates. */
const SETTLE_MS = 1_500;
/** For the first of the videos; on a busy machine the server's estimates hold some of them back for longer. */
const JOIN_TIMEOUT_MS = 30_000;

/**
 * Speech of 32 kbit/s and a tile of 84 kbit/s, one packet a frame: so little that the server forwards every tile from
 * the start, without waiting for its estimate of the receivers' bandwidth to grow.
 */
const SOURCE: SyntheticOptions = { audioRate: 50, audioBytes: 80, videoRate: 15, videoBytes: 700 };

export const latency: Benchmark = {
  name: 'latency',
  title: `latency added by the server per packet, ${PARTICIPANTS} participants, each receiving the video of all others and the sound of four`,
  run: async (say) => {
    const meet = await throughServer(say);
    const plain = await throughForwarder(say);
    return [
      ...spread('through the server', 'ms', meet.samples, 'p99', { p50: 2, high: 10 }),
      { name: 'through the server, packets', value: meet.rate, unit: '1/s' },
      ...spread('the same packets through a UDP forwarder', 'ms', plain.samples, 'p99'),
      { name: 'through the forwarder, packets', value: plain.rate, unit: '1/s' },
    ] satisfies Figure[];
  },
};

interface Measured {
  readonly samples: Float64Array;
  /** Packets received a second, by all participants together. */
  readonly rate: number;
}

async function throughServer(say: Say): Promise<Measured> {
  const server = await startMeasuredServer();
  const halves = [0, 1].map(() => new Program<ParticipantRequests>('participants'));
  try {
    const meeting = await server.newMeeting();
    say(`${PARTICIPANTS} participants join`);
    await Promise.all(
      halves.map((half) =>
        half.ask('join', { meeting, count: IN_EACH_PROCESS, source: { synthetic: SOURCE }, receive: 'all' }),
      ),
    );
    await Promise.all(
      halves.map((half) => half.ask('untilReceiving', { videos: 1, timeoutMs: JOIN_TIMEOUT_MS })),
    );
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    say('through the server');
    return combine(await Promise.all(halves.map((half) => half.ask('measureLatency', { ms: WINDOW_MS }))));
  } finally {
    await Promise.all(halves.map((half) => half.close()));
    await server.close();
  }
}

/** What two processes, their timers and the kernel take when nothing but a loop forwards. */
async function throughForwarder(say: Say): Promise<Measured> {
  const forwarder = new Program<ForwarderRequests>('forwarder');
  const halves = [0, 1].map(() => new Program<UdpParticipantRequests>('udp-participants'));
  try {
    const { port } = await forwarder.ask('start');
    await Promise.all(
      halves.map((half) =>
        half.ask('join', { port, count: IN_EACH_PROCESS, voices: VOICES / 2, source: SOURCE }),
      ),
    );
    say('through a UDP forwarder');
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    return combine(await Promise.all(halves.map((half) => half.ask('measureLatency', { ms: WINDOW_MS }))));
  } finally {
    await Promise.all([...halves, forwarder].map((program) => program.close()));
  }
}

function combine(parts: readonly Float64Array[]): Measured {
  const samples = Float64Array.from(parts.flatMap((part) => [...part]));
  return { samples, rate: samples.length / (WINDOW_MS / 1000) };
}
