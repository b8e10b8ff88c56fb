/** What the SFU worker pays for each packet that it forwards. */
import type { Benchmark, Figure } from './harness/figure.ts';
import { cpuUs } from './harness/processes.ts';
import { Program } from './harness/program.ts';
import { startMeasuredServer } from './harness/server.ts';
import type { Counters, ParticipantRequests } from './programs/participants.ts';
import type { SyntheticOptions } from './programs/synthetic-source.ts';

const WINDOW_MS = 6_000;
const SETTLE_MS = 1_500;
const JOIN_TIMEOUT_MS = 60_000;

/** Speech, and packets of 1,200 bytes on the wire: nine videos stay below what the server grants a new receiver. */
const SOURCE: SyntheticOptions = { audioRate: 50, audioBytes: 80, videoRate: 30, videoBytes: 1_130 };

interface Scene {
  readonly name: string;
  readonly senders: number;
  /** Participants that only receive. */
  readonly listeners: number;
}

const SCENES: readonly Scene[] = [
  { name: '1 sender, 100 receivers', senders: 1, listeners: 100 },
  { name: '10 participants, everybody to everybody', senders: 10, listeners: 0 },
];

export const workerCpu: Benchmark = {
  name: 'worker-cpu',
  title: 'CPU of the whole SFU worker for each packet it forwards; SRTP AES-128-GCM, transport-cc answered',
  run: async (say) => {
    const figures: Figure[] = [];
    for (const scene of SCENES) {
      say(scene.name);
      const { usAPacket, rate, share } = await measure(scene);
      figures.push(
        { name: scene.name, value: usAPacket, unit: 'µs/packet' },
        { name: `${scene.name}: forwarded`, value: rate, unit: '1/s' },
        { name: `${scene.name}: worker`, value: share, unit: '% of a core' },
      );
    }
    return figures;
  },
};

async function measure({ senders, listeners }: Scene) {
  const server = await startMeasuredServer();
  const programs = [0, 1].map(() => new Program<ParticipantRequests>('participants'));
  try {
    const meeting = await server.newMeeting();
    const [first, second] = programs as [Program<ParticipantRequests>, Program<ParticipantRequests>];
    const receive = listeners > 0 ? 'none' : 'all';
    await first.ask('join', {
      meeting,
      count: Math.ceil(senders / 2),
      source: { synthetic: SOURCE },
      receive,
    });
    if (senders > 1)
      await second.ask('join', {
        meeting,
        count: Math.floor(senders / 2),
        source: { synthetic: SOURCE },
        receive,
      });
    if (listeners > 0) await second.ask('join', { meeting, count: listeners, receive: 'all' });
    const receiving = listeners > 0 ? [second] : programs;
    await Promise.all(
      receiving.map((program) => program.ask('untilReceiving', { videos: 1, timeoutMs: JOIN_TIMEOUT_MS })),
    );
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    const pid = await server.workerPid();
    const received = async () =>
      (await Promise.all(receiving.map((program) => program.ask('counters')))).reduce(
        (sum: number, counters: Counters) => sum + counters.received,
        0,
      );
    const [cpuBefore, packetsBefore, startedAt] = [cpuUs(pid), await received(), performance.now()];
    await new Promise((resolve) => setTimeout(resolve, WINDOW_MS));
    const [cpu, packets] = [cpuUs(pid) - cpuBefore, (await received()) - packetsBefore];
    const seconds = (performance.now() - startedAt) / 1000;
    return { usAPacket: cpu / packets, rate: packets / seconds, share: cpu / seconds / 10_000 };
  } finally {
    await Promise.all(programs.map((program) => program.close()));
    await server.close();
  }
}
