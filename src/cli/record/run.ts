import { resolve } from 'node:path';
import { resolveMeeting } from '../../client/api.ts';
import { outputDurationMs, type RecordingFolder } from '../../recorder/folder/index.ts';
import { awaitMeeting } from '../../recorder/session/await-meeting.ts';
import { RecorderSession } from '../../recorder/session/session.ts';
import { takeFolder } from '../../recorder/session/take-folder.ts';
import { folderBytes } from '../../recorder/tracks/disk.ts';
import type { RecordCommandOptions } from '../commands/record.ts';
import type { CliContext } from '../context.ts';
import { passwordFor } from '../join/password.ts';
import type { Output } from '../output.ts';
import { obey } from './control.ts';
import { recordingOptions } from './options.ts';
import { errorOf, exitCodeOf, RecordReporter } from './report.ts';

interface Deps {
  readonly context: CliContext;
  readonly output: Output;
}

/** Waits for the meeting, records it, and ends when told to; resolves with the exit code. */
export async function runRecord(
  { context, output }: Deps,
  meeting: string,
  options: RecordCommandOptions,
): Promise<number> {
  const address = resolveMeeting(meeting, options.server);
  const recording = recordingOptions(options);
  const password = await passwordFor(context, meeting, options);
  const waitUntilMs = options.waitFor === undefined ? undefined : performance.now() + options.waitFor;
  const { title } = await awaitMeeting(address, waitUntilMs, context.interrupted);
  const { folder, diedAt } = await takeFolder({
    directory: resolve(options.dir),
    ...address,
    title,
    options: recording,
    ...(options.id === undefined ? {} : { id: options.id }),
  });
  try {
    const session = await RecorderSession.join({
      folder,
      diedAt,
      audioOnly: options.audioOnly === true,
      durationMs: options.duration,
      untilEmptyMs: options.untilEmpty,
      waitUntilMs,
      join: {
        meeting,
        server: options.server,
        displayName: options.name,
        recorder: true,
        reconnectTimeoutMs: options.reconnectTimeout,
        ...(password === undefined ? {} : { password }),
        ...(options.hostToken === undefined ? {} : { hostToken: options.hostToken }),
      },
    });
    return await record({ context, output }, session, options);
  } finally {
    await folder.close();
  }
}

async function record(
  { context, output }: Deps,
  session: RecorderSession,
  options: RecordCommandOptions,
): Promise<number> {
  const reporter = new RecordReporter({ session, output });
  const control =
    options.id === undefined
      ? undefined
      : obey(context.stdin, session, (line) => output.note(`Not understood: ${line}`));
  const stop = () => session.stop('interrupted');
  context.interrupted.addEventListener('abort', stop, { once: true });
  if (context.interrupted.aborted) stop();
  const ending = await session.ended;
  control?.close();
  await session.close();
  reporter.stopped(ending);
  const error = errorOf(ending);
  if (error !== undefined) output.error(error);
  reporter.finished(await sizes(session.folder));
  return exitCodeOf(ending);
}

async function sizes({
  path,
  recording,
}: RecordingFolder): Promise<{ durationMs: number; sizeBytes: number }> {
  const durationMs = Math.round(outputDurationMs(recording, recording.stoppedAt ?? 0));
  return { durationMs, sizeBytes: await folderBytes(path) };
}
