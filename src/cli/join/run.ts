import { setTimeout as delay } from 'node:timers/promises';
import { resolveMeeting } from '../../client/api.ts';
import { joinMeeting } from '../../client/join.ts';
import type { MeetingClient } from '../../client/meeting.ts';
import type { LeftInfo } from '../../client/types.ts';
import { MeetError } from '../../protocol/errors.ts';
import type { JoinCommandOptions } from '../commands/join.ts';
import type { CliContext } from '../context.ts';
import { openSource } from '../media.ts';
import type { Output } from '../output.ts';
import { conclude } from './conclude.ts';
import { passwordFor } from './password.ts';
import { JoinReporter } from './report.ts';
import { viewOf } from './view.ts';

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
  // What can be wrong with the words is said before a file is read or a folder made.
  resolveMeeting(meeting, options.server);
  const password = await passwordFor(context, meeting, options);
  const saver = options.save === undefined ? undefined : await openSaver(options.save);
  const source = await openSource(context, options);
  const client = await joinMeeting({
    meeting,
    server: options.server,
    displayName: options.name,
    receive: options.receive,
    ...viewOf(options),
    reconnectTimeoutMs: options.reconnectTimeout,
    signal: AbortSignal.any([context.interrupted, context.unread]),
    ...(password === undefined ? {} : { password }),
    ...(options.hostToken === undefined ? {} : { hostToken: options.hostToken }),
    ...(options.relay ? { iceTransportPolicy: 'relay' as const } : {}),
    ...(source === undefined ? {} : { source }),
  });
  const reporter = new JoinReporter({ client, output, context });
  const failure = Promise.withResolvers<MeetError>();
  client.on('source-failed', (error) => failure.resolve(MeetError.from(error)));
  client.on('source-ended', () => void client.leave());
  client.on('track', (track) =>
    saver?.add(
      track,
      track.slot === undefined
        ? (client.participants.get(track.participantId)?.name ?? track.participantId)
        : `speaker ${track.slot + 1}`,
    ),
  );
  saver?.on('failed', (error) => failure.resolve(error));

  const left = new Promise<LeftInfo>((resolve) => client.once('left', resolve));
  const ending = new AbortController();
  void leaveAfter(client, options.duration, ending.signal);
  const failed = await Promise.race([failure.promise, left.then(() => undefined)]);
  if (failed) await client.leave();
  const end = await left;
  ending.abort();
  await reporter.close();
  await saver?.close();
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
  // Counted from the join: a slow server does not shorten the meeting.
  const over = await delay(durationMs, true, { signal }).catch(() => false);
  if (over) await client.leave();
}

/** Loaded only with `--save`; checks the folder before the meeting is joined. */
async function openSaver(folder: string) {
  const { TrackSaver } = await import('./saver.ts');
  return await TrackSaver.open(folder);
}
