/** A meeting on hosts of its own, for one scenario. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Program } from '../harness/program.ts';
import type { ServerRequests } from '../programs/server.ts';
import { Hosts } from './links/hosts.ts';
import type { JoinRequest, ParticipantRequests } from './programs/participants.ts';
import type { Recording } from './recording.ts';

type Prefixed = { readonly prefix: readonly string[] };

/** Participants in a process on one host. */
export class Participants {
  readonly program: Program<ParticipantRequests>;
  readonly #meeting: () => string;

  constructor({ prefix }: Prefixed, meeting: () => string) {
    this.program = new Program<ParticipantRequests>('../network/programs/participants', { prefix });
    this.#meeting = meeting;
  }

  join(request: Omit<JoinRequest, 'meeting'>): Promise<string[]> {
    return this.program.ask('join', { ...request, meeting: this.#meeting() });
  }

  /** Joins one who records; gives his id. */
  async watch(request: Partial<JoinRequest> & { readonly name: string }): Promise<string> {
    const [id] = await this.join({ receive: 'all', record: true, ...request });
    return id!;
  }

  async recording(id: string): Promise<Recording> {
    const recording = await this.program.ask('recording', { id });
    if (recording === undefined) throw new Error(`Participant ${id} does not record`);
    return recording;
  }
}

/** A server, a meeting on it, and the hosts that scenarios add. */
export class BenchMeeting {
  readonly hosts: Hosts;
  readonly server: Program<ServerRequests>;
  readonly #programs: Program<never>[] = [];
  readonly #dataDir: string;
  #url = '';

  private constructor(hosts: Hosts, dataDir: string) {
    this.hosts = hosts;
    this.#dataDir = dataDir;
    this.server = new Program<ServerRequests>('server', { prefix: hosts.server.prefix });
  }

  /** Runs a scenario in a meeting of its own and ends all of it afterwards. */
  static async run<T>(scenario: (meeting: BenchMeeting) => Promise<T>): Promise<T> {
    const hosts = await Hosts.create();
    const dataDir = await mkdtemp(join(tmpdir(), 'meet-bench-'));
    const meeting = new BenchMeeting(hosts, dataDir);
    try {
      await meeting.#start();
      return await scenario(meeting);
    } finally {
      await Promise.all(meeting.#programs.map((program) => program.close()));
      await meeting.server.close();
      await hosts.close();
      await rm(dataDir, { recursive: true, force: true });
    }
  }

  async #start(): Promise<void> {
    const workerBin = process.env.MEDIASOUP_WORKER_BIN;
    const { url } = await this.server.ask('start', {
      dataDir: this.#dataDir,
      host: this.hosts.serverAddress,
      port: 0,
      workers: 1,
      rateLimit: false,
      ...(workerBin === undefined ? {} : { workerBin }),
    });
    const participants = this.on(await this.hosts.addWired());
    this.#url = await participants.program.ask('createMeeting', { server: url });
    await participants.program.close();
  }

  /** A process for participants on this host. */
  on(host: Prefixed): Participants {
    const participants = new Participants(host, () => this.#url);
    this.#programs.push(participants.program as unknown as Program<never>);
    return participants;
  }
}
