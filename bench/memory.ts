/** What 200 participants who come and go leave behind in the server and its worker. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMeeting } from '../src/client/index.ts';
import { serve } from '../test/support/meet-process.ts';
import type { Benchmark, Figure } from './harness/figure.ts';
import { collectGarbage, inspectorUrl } from './harness/inspector.ts';
import { childPids, residentMiB } from './harness/processes.ts';
import { Program } from './harness/program.ts';
import type { JoinRequest, ParticipantRequests } from './programs/participants.ts';
import type { SyntheticOptions } from './programs/synthetic-source.ts';

const FIRST_CYCLES = 50;
const CYCLES = 200;
/** Growth that counts as none: what allocators and caches take. */
const MAX_RATIO = 1.1;
/** For what ends after a participant has left: its streams' records, sockets, timers. */
const SETTLE_MS = 1_000;

const SOURCE: SyntheticOptions = { audioRate: 50, audioBytes: 80, videoRate: 30, videoBytes: 2_000 };

interface Resident {
  /** MiB. */
  readonly server: number;
  readonly serverCollected: number;
  readonly worker: number;
}

export const memory: Benchmark = {
  name: 'memory',
  title: `memory after ${CYCLES} participants came, sent, received and left, against that after ${FIRST_CYCLES}`,
  run: async (say) => {
    const dataDir = await mkdtemp(join(tmpdir(), 'meet-bench-'));
    const { server, url } = await serve(dataDir, [], { env: { NODE_OPTIONS: '--inspect=127.0.0.1:0' } });
    const resident = new Program<ParticipantRequests>('participants');
    const visitors = new Program<ParticipantRequests>('participants');
    try {
      const { url: meeting } = (await createMeeting(url, {})).meeting;
      const source: JoinRequest['source'] = { synthetic: SOURCE };
      await resident.ask('join', { meeting, count: 1, source, receive: 'all' });
      const serverPid = server.child.pid!;
      const [workerPid] = childPids(serverPid);
      const weigh = async (): Promise<Resident> => {
        await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
        const raw = residentMiB(serverPid);
        const worker = residentMiB(workerPid!);
        await collectGarbage(inspectorUrl(server.stderr));
        return { server: raw, serverCollected: residentMiB(serverPid), worker };
      };
      say(`${FIRST_CYCLES} participants come and go`);
      await visitors.ask('cycle', { meeting, count: FIRST_CYCLES, source, receive: 'all' });
      const early = await weigh();
      say(`${CYCLES - FIRST_CYCLES} more`);
      await visitors.ask('cycle', { meeting, count: CYCLES - FIRST_CYCLES, source, receive: 'all' });
      return figures(early, await weigh());
    } finally {
      await Promise.all([resident, visitors].map((program) => program.close()));
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    }
  },
};

function figures(early: Resident, late: Resident): Figure[] {
  const compared = (name: string, key: keyof Resident, target?: number): Figure[] => [
    { name: `${name} after ${FIRST_CYCLES}`, value: early[key], unit: 'MiB' },
    { name: `${name} after ${CYCLES}`, value: late[key], unit: 'MiB' },
    {
      name: `${name}, growth`,
      value: late[key] / early[key],
      unit: '×',
      ...(target === undefined ? {} : { target }),
    },
  ];
  return [
    ...compared('server', 'server', MAX_RATIO),
    ...compared('server, garbage collected', 'serverCollected', MAX_RATIO),
    ...compared('worker', 'worker', MAX_RATIO),
  ];
}
