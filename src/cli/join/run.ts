import { setTimeout as delay } from 'node:timers/promises';
import { joinMeeting } from '../../client/join.ts';
import type { MeetingClient } from '../../client/meeting.ts';
import type { LeftReason } from '../../client/types.ts';
import { EXIT, MeetError } from '../../protocol/errors.ts';
import type { JoinCommandOptions } from '../commands/join.ts';
import type { CliContext } from '../context.ts';
import { openSource } from '../media.ts';
import { harmless, type Output } from '../output.ts';
import { JoinReporter } from './report.ts';

interface Deps {
  readonly context: CliContext;
  readonly output: Output;
}

/** Joins, reports, saves, and leaves when told to; resolves with the exit code. */
export async function runJoin(
  { context, output }: Deps,
  meeting: string,
  options: JoinCommandOptions,
): Promise<number> {
  const saver = options.save === undefined ? undefined : await openSaver(options.save);
  const source = await openSource(context, options);
  const client = await joinMeeting({
    meeting,
    displayName: options.name,
    receive: options.receive,
    reconnectTimeoutMs: options.reconnectTimeout,
    signal: context.interrupted,
    ...(options.server === undefined ? {} : { server: options.server }),
    ...(options.password === undefined ? {} : { password: options.password }),
    ...(options.hostToken === undefined ? {} : { hostToken: options.hostToken }),
    ...(options.relay ? { iceTransportPolicy: 'relay' as const } : {}),
    ...(source === undefined ? {} : { source }),
  });
  const reporter = new JoinReporter({ client, output, context });
  const failure = Promise.withResolvers<MeetError>();
  client.on('source-failed', (error) => failure.resolve(MeetError.from(error)));
  client.on('source-ended', () => void client.leave());
  client.on('track', (track) =>
    saver?.add(track, client.participants.get(track.participantId)?.name ?? track.participantId),
  );
  saver?.on('failed', (error) => failure.resolve(error));

  const left = new Promise<{ reason: LeftReason; message?: string }>((resolve) =>
    client.once('left', resolve),
  );
  const ending = new AbortController();
  void leaveAfter(client, options.duration, ending.signal);
  const failed = await Promise.race([failure.promise, left.then(() => undefined)]);
  if (failed) await client.leave();
  const end = await left;
  ending.abort();
  reporter.close();
  await saver?.close();
  return conclude({ context, output }, failed, end);
}

async function leaveAfter(
  client: MeetingClient,
  durationMs: number | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (durationMs === undefined) return;
  // Counted from the join: a slow server does not shorten the meeting.
  const over = await delay(durationMs, true, { signal }).catch(() => false);
  if (over) await client.leave();
}

function conclude(
  { context, output }: Deps,
  failed: MeetError | undefined,
  { reason, message }: { reason: LeftReason; message?: string },
): number {
  if (failed) {
    output.event('left', { reason: 'failed', message: failed.message });
    output.error(failed);
    return failed.exitCode;
  }
  const interrupted = context.interrupted.aborted && reason === 'left';
  output.event('left', {
    reason: interrupted ? 'interrupted' : reason,
    ...(message === undefined ? {} : { message }),
  });
  if (message !== undefined && reason !== 'left') output.note(`meet: ${harmless(message)}`);
  else output.line(LEFT_SENTENCE[reason]);
  return interrupted ? EXIT.interrupted : EXIT_CODE[reason];
}

const LEFT_SENTENCE: Readonly<Record<LeftReason, string>> = {
  left: 'Left the meeting.',
  ended: 'The meeting has ended.',
  removed: 'A host removed this participant.',
  replaced: 'The same participant joined from elsewhere.',
  'server-unreachable': 'The server can no longer be reached.',
  'connection-failed': 'No media path to the server was found.',
  'token-expired': 'The token has expired; join again.',
  failed: 'The meeting was left after a failure.',
};

const EXIT_CODE: Readonly<Record<LeftReason, number>> = {
  left: EXIT.done,
  ended: EXIT.done,
  removed: EXIT.refused,
  replaced: EXIT.failed,
  'server-unreachable': EXIT.unreachable,
  'connection-failed': EXIT.unreachable,
  'token-expired': EXIT.refused,
  failed: EXIT.failed,
};

/** Loaded only with `--save`; checks the folder before the meeting is joined. */
async function openSaver(folder: string) {
  const { TrackSaver } = await import('./saver.ts');
  return await TrackSaver.open(folder);
}
