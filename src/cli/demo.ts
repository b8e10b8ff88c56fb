import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createMeeting } from '../client/api.ts';
import { joinMeeting } from '../client/join.ts';
import type { MeetingClient } from '../client/meeting.ts';
import { CLIPS } from '../media/clips.ts';
import { EXIT } from '../protocol/errors.ts';
import { type RunningServer, startServer } from '../server/server.ts';
import { showMeeting } from '../tui/live.tsx';
import { statsLine } from '../tui/stats-line.ts';
import type { DemoOptions } from './commands/demo.ts';
import type { CliContext } from './context.ts';
import { openLog } from './log.ts';
import { openSource } from './media.ts';
import type { Output } from './output.ts';
import { outOfReach, provide } from './worker.ts';

interface Deps {
  readonly context: CliContext;
  readonly output: Output;
}

/** Whose voices the clips have. */
const NAMES = ['Alice', 'Bob'];
const LINE_INTERVAL_MS = 1_000;

/** A server, a meeting and two participants in one process, until Ctrl-C. */
export async function runDemo({ context, output }: Deps, options: DemoOptions): Promise<number> {
  const workerBin = outOfReach(context, await provide(context, output));
  const data = await mkdtemp(path.join(tmpdir(), 'meet-demo-'));
  const logger = openLog(context, 'warn');
  let server: RunningServer | undefined;
  const clients: MeetingClient[] = [];
  try {
    server = await startServer(
      { dataDir: data, host: '127.0.0.1', port: options.port, listen: [{ ip: '127.0.0.1' }], workerBin },
      { logger },
    );
    const { meeting } = await createMeeting(server.url, { title: 'Demo' });
    output.event('listening', { url: server.url });
    output.event('meeting', { id: meeting.id, url: meeting.url });
    output.line(invitation(meeting.url));
    const participants = await Promise.all(
      CLIPS.map(async (file, index) => {
        const name = NAMES[index] ?? `Guest ${index + 1}`;
        const source = await openSource(context, {
          video: file,
          loop: true,
          ...(options.ffmpeg === undefined ? {} : { ffmpeg: options.ffmpeg }),
        });
        const client = await joinMeeting({
          meeting: meeting.url,
          displayName: name,
          ...(source ? { source } : {}),
        });
        clients.push(client);
        return { name, client };
      }),
    );
    await Promise.all(clients.map((client) => client.whenConnected()));
    await show({ context, output }, participants, options.duration);
    return context.interrupted.aborted ? EXIT.interrupted : EXIT.done;
  } finally {
    await Promise.all(clients.map((client) => client.leave()));
    await server?.close({ reason: 'server-stopping' });
    await rm(data, { recursive: true, force: true });
  }
}

function invitation(url: string): string {
  return [
    `Meeting: ${url}`,
    '',
    'Join it from another terminal in this folder:',
    `  npx meet join ${url} --name Me --test-pattern`,
    `  npx meet join ${url} --name Listener --save received`,
    '',
    'Ctrl-C ends it.',
    '',
  ].join('\n');
}

/** The live view, or a line a participant each second where no person looks, until it is over. */
async function show(
  { context, output }: Deps,
  participants: { name: string; client: MeetingClient }[],
  durationMs: number | undefined,
): Promise<void> {
  const over = AbortSignal.any([
    context.interrupted,
    context.unread,
    ...(durationMs === undefined ? [] : [AbortSignal.timeout(durationMs)]),
  ]);
  if (output.interactive) {
    const live = showMeeting(context.stdout as NodeJS.WriteStream, participants);
    await new Promise<void>((resolve) => {
      if (over.aborted) resolve();
      else over.addEventListener('abort', () => resolve(), { once: true });
    });
    await live.close();
    return;
  }
  // Rates are over the time since the last call: the first line has some to tell.
  for (const { name, client } of participants) statsLine(name, client);
  while (!over.aborted) {
    await delay(LINE_INTERVAL_MS, undefined, { signal: over }).catch(() => {});
    for (const { name, client } of participants) {
      output.event('stats', { participant: name, ...client.stats() });
      output.line(statsLine(name, client));
    }
  }
}
