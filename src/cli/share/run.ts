import { setTimeout as delay } from 'node:timers/promises';
import { resolveMeeting } from '../../client/api.ts';
import { harmless } from '../../client/chat/text.ts';
import { joinMeeting } from '../../client/join.ts';
import type { MeetingClient } from '../../client/meeting.ts';
import type { LeftInfo } from '../../client/types.ts';
import { MeetError } from '../../protocol/errors.ts';
import type { ShareCommandOptions } from '../commands/share.ts';
import type { CliContext } from '../context.ts';
import { conclude } from '../join/conclude.ts';
import { passwordFor } from '../join/password.ts';
import { JoinReporter } from '../join/report.ts';
import type { Output } from '../output.ts';
import { turnPages } from './pages.ts';
import { openShared } from './screen.ts';

interface Deps {
  readonly context: CliContext;
  readonly output: Output;
}

/** Shares until it is told to stop, what is shared ends, or a host stops it; resolves with the exit code. */
export async function runShare(
  { context, output }: Deps,
  meeting: string,
  options: ShareCommandOptions,
): Promise<number> {
  resolveMeeting(meeting, options.server);
  const password = await passwordFor(context, meeting, options);
  const { screen, own, pages } = await openShared(context, options, (content) =>
    output.event('content', { content }),
  );
  const client = await joinMeeting({
    meeting,
    server: options.server,
    displayName: options.name,
    receive: 'none',
    screen,
    ...(own === undefined ? {} : { source: own }),
    reconnectTimeoutMs: options.reconnectTimeout,
    signal: context.interrupted,
    ...(password === undefined ? {} : { password }),
    ...(options.hostToken === undefined ? {} : { hostToken: options.hostToken }),
    ...(options.relay ? { iceTransportPolicy: 'relay' as const } : {}),
  });
  const reporter = new JoinReporter({ client, output, context });
  const failure = Promise.withResolvers<MeetError>();
  client.on('source-failed', (error, role) => {
    if (role === 'screen') failure.resolve(MeetError.from(error));
    else output.note(error.message);
  });
  client.on('source-ended', (role) => {
    if (role === 'screen') void client.leave();
  });
  client.on('share-stopped', ({ participantId }) => {
    const host = participantId === null ? undefined : client.participants.get(participantId)?.name;
    const message = `${host === undefined ? 'A host' : harmless(host)} has stopped the sharing of this screen.`;
    failure.resolve(new MeetError('share-stopped', message));
  });

  const stopTurning = pages && turnPages({ context, output }, pages, options);

  const left = new Promise<LeftInfo>((resolve) => client.once('left', resolve));
  const ending = new AbortController();
  void leaveAfter(client, options.duration, ending.signal);
  const failed = await Promise.race([failure.promise, left.then(() => undefined)]);
  if (failed) await client.leave();
  const end = await left;
  ending.abort();
  stopTurning?.();
  await reporter.close();
  return conclude(
    { output, interrupted: context.interrupted.aborted },
    failed ? { reason: 'failed', message: failed.message, error: failed } : end,
  );
}

async function leaveAfter(
  client: MeetingClient,
  durationMs: number | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (durationMs === undefined) return;
  const over = await delay(durationMs, true, { signal }).catch(() => false);
  if (over) await client.leave();
}
