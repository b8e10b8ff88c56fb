/** How long media is away after what connects a participant to the server breaks. */
import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { noNamespaces, TwoHosts } from '../test/support/namespaces.ts';
import { type Benchmark, type Figure, type Say, spread } from './harness/figure.ts';
import { CACHE_DIR, CLIP_FILE, encodeClip } from './harness/media.ts';
import { Program } from './harness/program.ts';
import { type MeasuredServer, startMeasuredServer } from './harness/server.ts';
import type { Arrivals, JoinRequest, ParticipantRequests } from './programs/participants.ts';
import { sharedClockMs } from './programs/synthetic-source.ts';

/** Behind the cable that is cut; each counts once a repetition. */
const FAR = 3;
const REPETITIONS = 2;
/** Between the first frames and the fault. */
const SETTLE_MS = 1_500;
const JOIN_TIMEOUT_MS = 20_000;
/** What takes longer has not come back. */
const PATIENCE_MS = 20_000;
const POLL_MS = 100;
const SIGNALING_CUT_MS = 3_000;

const CUT_TARGET_MS = 2_000;
const FALLBACK_TARGET_MS = 5_000;

/** A fault; resolves with the moment from which on media can come back, on the shared clock. */
type Fault = (scene: Scene) => Promise<number>;

interface Scenario {
  readonly name: string;
  readonly targetMs: number;
  readonly fault: Fault;
}

const cutUdp =
  (ms: number): Fault =>
  async ({ hosts }) => {
    await hosts.cut('udp');
    await delay(ms);
    await hosts.restore();
    return sharedClockMs();
  };

const SCENARIOS: readonly Scenario[] = [
  { name: 'UDP cut for 1 s', targetMs: CUT_TARGET_MS, fault: cutUdp(1_000) },
  { name: 'UDP cut for 3 s', targetMs: CUT_TARGET_MS, fault: cutUdp(3_000) },
  { name: 'UDP cut for 8 s', targetMs: CUT_TARGET_MS, fault: cutUdp(8_000) },
  {
    name: 'UDP blocked for good, over TCP',
    targetMs: FALLBACK_TARGET_MS,
    fault: async ({ hosts }) => {
      await hosts.cut('udp');
      return sharedClockMs();
    },
  },
  {
    name: 'SFU worker killed',
    targetMs: FALLBACK_TARGET_MS,
    fault: async ({ server }) => {
      process.kill(await server.workerPid(), 'SIGKILL');
      return sharedClockMs();
    },
  },
];

export const reconnect: Benchmark = {
  name: 'reconnect',
  title:
    `time until video is whole again, from when packets can pass; ${FAR} participants behind a cable, ` +
    `${REPETITIONS} times, both directions`,
  run: async (say) => {
    const reason = noNamespaces();
    if (reason !== undefined)
      throw new Error(`This benchmark cuts cables between network namespaces: ${reason}.`);
    await encodeClip(CACHE_DIR);
    const hosts = await TwoHosts.create();
    try {
      const figures = await interruptSignaling(hosts, say);
      for (const scenario of SCENARIOS) figures.push(...(await interruptMedia(hosts, scenario, say)));
      return figures;
    } finally {
      await hosts.close();
    }
  },
};

async function interruptMedia(
  hosts: TwoHosts,
  { name, targetMs, fault }: Scenario,
  say: Say,
): Promise<Figure[]> {
  const receiving: number[] = [];
  const sending: number[] = [];
  for (let repetition = 1; repetition <= REPETITIONS; repetition += 1) {
    say(`${name}, ${repetition} of ${REPETITIONS}`);
    await withScene(hosts, async (scene) => {
      await scene.record();
      const from = await fault(scene);
      const arrivals = await scene.untilVideoAfter(from);
      for (const id of scene.far) {
        receiving.push(firstAfter(arrivals, { receiver: id, sender: scene.near }, from) - from);
        sending.push(firstAfter(arrivals, { receiver: scene.near, sender: id }, from) - from);
      }
    });
  }
  return [
    ...spread(`${name}: receiving`, 'ms', receiving, 'max', { high: targetMs }),
    ...spread(`${name}: sending`, 'ms', sending, 'max', { high: targetMs }),
  ];
}

/** The WebSockets are torn and no new one gets through for a while; media has a path of its own. */
async function interruptSignaling(hosts: TwoHosts, say: Say): Promise<Figure[]> {
  const gaps: number[] = [];
  const back: number[] = [];
  for (let repetition = 1; repetition <= REPETITIONS; repetition += 1) {
    say(`WebSocket cut, ${repetition} of ${REPETITIONS}`);
    await withScene(hosts, async (scene) => {
      await scene.record();
      await hosts.cut('tcp');
      await killTcpConnections(hosts.client.name);
      await delay(SIGNALING_CUT_MS);
      await hosts.restore();
      const from = sharedClockMs();
      const disturbances = await scene.untilReconnected();
      back.push(...disturbances.map(({ at }) => at - from));
      const arrivals = await scene.untilVideoAfter(sharedClockMs());
      for (const { receiver, sender, times, kind } of arrivals) {
        if (kind === 'video' && [receiver, sender].includes(scene.near)) gaps.push(longestGap(times));
      }
    });
  }
  const cut = `WebSocket torn, TCP blocked for ${SIGNALING_CUT_MS / 1000} s`;
  return [
    ...spread(`${cut}: longest pause of video`, 'ms', gaps, 'max', { high: CUT_TARGET_MS }),
    ...spread(`${cut}: signaling is back`, 'ms', back, 'max', { high: CUT_TARGET_MS }),
  ];
}

/** Ends them as an administrator can (ss(8)): both ends get an error, but the other host's is lost in the cut. */
async function killTcpConnections(host: string): Promise<void> {
  await promisify(execFile)('ip', ['netns', 'exec', host, 'ss', '-t', '-K', 'state', 'established']);
}

function longestGap(times: Float64Array): number {
  let longest = 0;
  for (let i = 1; i < times.length; i += 1) longest = Math.max(longest, times[i]! - times[i - 1]!);
  return longest;
}

/** When the first whole video frame came at or after a moment; that moment when video never was away. */
function firstAfter(
  arrivals: readonly Arrivals[],
  { receiver, sender }: { receiver: string; sender: string },
  from: number,
): number {
  const times = arrivals
    .filter((track) => track.kind === 'video' && track.receiver === receiver && track.sender === sender)
    .flatMap((track) => [...track.times])
    .filter((time) => time >= from);
  return Math.min(...times);
}

/** A server and a participant on one host, participants on the other; all send the clip and receive everybody. */
class Scene {
  readonly hosts: TwoHosts;
  readonly server: MeasuredServer;
  readonly near: string;
  readonly far: readonly string[];
  readonly #nearProgram: Program<ParticipantRequests>;
  readonly #farProgram: Program<ParticipantRequests>;

  constructor(options: {
    hosts: TwoHosts;
    server: MeasuredServer;
    near: readonly [id: string, program: Program<ParticipantRequests>];
    far: readonly [ids: readonly string[], program: Program<ParticipantRequests>];
  }) {
    this.hosts = options.hosts;
    this.server = options.server;
    [this.near, this.#nearProgram] = options.near;
    [this.far, this.#farProgram] = options.far;
  }

  async record(): Promise<void> {
    for (const program of [this.#nearProgram, this.#farProgram]) await program.ask('startRecording');
  }

  /** All that came since the recording began, once video of every participant has come after a moment. */
  async untilVideoAfter(from: number): Promise<Arrivals[]> {
    const pairs = this.far.flatMap((id) => [
      { receiver: id, sender: this.near },
      { receiver: this.near, sender: id },
    ]);
    for (;;) {
      const recordings = [
        await this.#nearProgram.ask('takeRecording'),
        await this.#farProgram.ask('takeRecording'),
      ];
      const arrivals = recordings.flatMap((recording) => recording.arrivals);
      if (pairs.every((pair) => Number.isFinite(firstAfter(arrivals, pair, from)))) return arrivals;
      if (sharedClockMs() - from > PATIENCE_MS) throw new Error('Video did not come back');
      await delay(POLL_MS);
    }
  }

  /** The `reconnected` of each participant behind the cable. */
  async untilReconnected() {
    const deadline = sharedClockMs() + PATIENCE_MS;
    for (;;) {
      const { disturbances } = await this.#farProgram.ask('takeRecording');
      const reconnected = disturbances.filter(({ event }) => event === 'reconnected');
      if (this.far.every((id) => reconnected.some(({ participant }) => participant === id)))
        return reconnected;
      if (sharedClockMs() > deadline) throw new Error('Signaling did not come back');
      await delay(POLL_MS);
    }
  }
}

async function withScene(hosts: TwoHosts, run: (scene: Scene) => Promise<void>): Promise<void> {
  const { address, prefix } = hosts.server;
  const server = await startMeasuredServer({ host: address, listen: [{ ip: address }] }, { prefix });
  const nearProgram = new Program<ParticipantRequests>('participants', { prefix });
  const farProgram = new Program<ParticipantRequests>('participants', { prefix: hosts.client.prefix });
  try {
    const meeting = await server.newMeeting();
    const source: JoinRequest['source'] = { file: CLIP_FILE, cacheDir: CACHE_DIR };
    const [near] = await nearProgram.ask('join', { meeting, count: 1, source, receive: 'all' });
    const far = await farProgram.ask('join', { meeting, count: FAR, source, receive: 'all' });
    const everybody = { videos: FAR, timeoutMs: JOIN_TIMEOUT_MS };
    await Promise.all([nearProgram, farProgram].map((program) => program.ask('untilReceiving', everybody)));
    await delay(SETTLE_MS);
    await run(new Scene({ hosts, server, near: [near!, nearProgram], far: [far, farProgram] }));
  } finally {
    await hosts.restore();
    await Promise.all([nearProgram, farProgram].map((program) => program.close()));
    await server.close();
  }
}
