import { resolve } from 'node:path';
import { type MeetingAddress, resolveMeeting } from '../../client/api.ts';
import { type Ffmpeg, findFfmpeg } from '../../media/ffmpeg/locate.ts';
import { EXIT } from '../../protocol/errors.ts';
import type { MeetingInfo } from '../../protocol/model.ts';
import { isUnfinished, type RecordingFolder } from '../../recorder/folder/index.ts';
import {
  closeOutputs,
  type LiveOutputs,
  lastFragmentEnd,
  openOutputs,
  startLive,
} from '../../recorder/live/open-live.ts';
import { awaitMeeting } from '../../recorder/session/await-meeting.ts';
import { RecorderSession } from '../../recorder/session/session.ts';
import { type TakenFolder, takeFolder } from '../../recorder/session/take-folder.ts';
import type { RecordingOptions } from '../../recorder/types.ts';
import type { RecordCommandOptions } from '../commands/record.ts';
import { traitsOf } from '../commands/recordings/target-options.ts';
import type { CliContext } from '../context.ts';
import { passwordFor } from '../join/password.ts';
import type { Output } from '../output.ts';
import { cacheDir } from '../settings.ts';
import { obey } from './control.ts';
import { finish } from './finish.ts';
import { recordingOptions } from './options.ts';
import { errorOf, exitCodeOf, RecordReporter } from './report.ts';

interface Run {
  readonly context: CliContext;
  readonly output: Output;
  readonly meeting: string;
  readonly options: RecordCommandOptions;
  /** Absent where no picture or sound is made. */
  readonly ffmpeg: Ffmpeg | undefined;
  readonly password: string | undefined;
  /** On `performance.now()`'s clock. */
  readonly waitUntilMs: number | undefined;
}

/** Waits for the meeting, records it, and ends when told to; resolves with the exit code. */
export async function runRecord(
  { context, output }: { context: CliContext; output: Output },
  meeting: string,
  options: RecordCommandOptions,
): Promise<number> {
  const address = resolveMeeting(meeting, options.server);
  const recording = recordingOptions(options);
  // What is missing is said before anybody is told of a recorder.
  const ffmpeg = recording.tracksOnly
    ? undefined
    : await findFfmpeg(options.ffmpeg === undefined ? {} : { path: options.ffmpeg });
  const password = await passwordFor(context, meeting, options);
  const waitUntilMs = options.waitFor === undefined ? undefined : performance.now() + options.waitFor;
  const info = await awaitMeeting(address, waitUntilMs, context.interrupted);
  const taken = await take(options, recording, address, info);
  const run: Run = { context, output, meeting, options, ffmpeg, password, waitUntilMs };
  try {
    // Whoever chose the id starts the command again when it died, however far it had come.
    if (!isUnfinished(taken.folder.recording.state)) return await finishOnly(run, taken.folder);
    return await record(run, taken);
  } finally {
    // Where nobody let us in or came, there is nothing to keep; a folder that somebody else has chosen is theirs.
    if (taken.folder.recording.startedAt === undefined && options.id === undefined)
      await taken.folder.remove();
    else await taken.folder.close();
  }
}

async function take(
  { dir, id }: RecordCommandOptions,
  options: RecordingOptions,
  address: MeetingAddress,
  { title }: MeetingInfo,
): Promise<TakenFolder> {
  return await takeFolder({
    directory: resolve(dir),
    ...address,
    title,
    options,
    ...(id === undefined ? {} : { id }),
  });
}

async function record(run: Run, taken: TakenFolder): Promise<number> {
  const { context, output, options } = run;
  const { folder } = taken;
  const outputs = run.ffmpeg && (await open(run, run.ffmpeg, folder));
  const heardAt = taken.diedAt === undefined ? undefined : latest(taken.diedAt, folder, outputs);
  const session = await join(run, { folder, diedAt: heardAt }).catch(async (error: unknown) => {
    if (outputs !== undefined) await closeOutputs(outputs);
    throw error;
  });
  const live = outputs && startLive(session, outputs);
  const reporter = new RecordReporter({ session, output });
  if (live && outputs) reporter.watch(live, outputs);
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
  await live?.finish(folder.recording.stoppedAt ?? session.now());
  const error = errorOf(ending);
  if (error !== undefined) reporter.failed(error);
  const unfinished = await finish({ reporter, options, folder, outputs, signal: context.unread });
  return error?.exitCode ?? unfinished?.exitCode ?? exitCodeOf(ending);
}

async function open(
  { context, options }: Run,
  ffmpeg: Ffmpeg,
  folder: RecordingFolder,
): Promise<LiveOutputs> {
  return await openOutputs(folder, {
    ffmpeg,
    cacheFolder: cacheDir(context),
    uploadTo: options.s3,
    traits: traitsOf(options),
    rtmp: options.rtmp,
  });
}

function latest(diedAt: number, folder: RecordingFolder, outputs: LiveOutputs | undefined): number {
  return outputs === undefined ? diedAt : Math.max(diedAt, lastFragmentEnd(folder, outputs));
}

/** A recording that had ended when the command began: what is left to be done with it. */
async function finishOnly({ context, output, options }: Run, folder: RecordingFolder): Promise<number> {
  const reporter = new RecordReporter({ output });
  reporter.stopped({ reason: 'stopped' });
  const unfinished = await finish({ reporter, options, folder, signal: context.interrupted });
  return unfinished?.exitCode ?? EXIT.done;
}

async function join(
  { meeting, options, password, waitUntilMs }: Run,
  { folder, diedAt }: TakenFolder,
): Promise<RecorderSession> {
  return await RecorderSession.join({
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
}
