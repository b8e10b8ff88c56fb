/** What hosts do about the recording of a meeting, without being in it. */
import { resolveMeeting, type TokenOptions } from '../../client/api.ts';
import { harmless } from '../../client/chat/text.ts';
import { changeRecording, getLiveRecording, startRecording, stopRecording } from '../../client/recordings.ts';
import { EXIT, MeetError } from '../../protocol/errors.ts';
import type { ChangeRecording, LiveRecordingReply } from '../../protocol/recording.ts';
import { duration } from '../../tui/chat/format.ts';
import type { RecordingCommandOptions, StartRecordingOptions } from '../commands/recording.ts';
import type { CliContext } from '../context.ts';
import type { Output } from '../output.ts';

interface Deps {
  readonly context: CliContext;
  readonly output: Output;
}

export async function runStart(deps: Deps, meeting: string, options: StartRecordingOptions): Promise<number> {
  const { layout, pin, fps, bitrate, format, clock, tracksOnly, access } = options;
  const size = options.size && `${options.size.width}x${options.size.height}`;
  const wanted = { layout, pin, size, fps, bitrate, format, clock, tracksOnly, access };
  const body = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));
  const address = resolveMeeting(meeting, options.server);
  return done(deps, await startRecording(address, body, tokenOf(deps, options)));
}

export async function runStop(
  deps: Deps,
  meeting: string,
  options: RecordingCommandOptions,
): Promise<number> {
  return done(deps, await stopRecording(resolveMeeting(meeting, options.server), tokenOf(deps, options)));
}

/** Pauses, resumes, or changes the layout. */
export async function runChange(
  deps: Deps,
  meeting: string,
  options: RecordingCommandOptions,
  change: ChangeRecording,
): Promise<number> {
  const address = resolveMeeting(meeting, options.server);
  return done(deps, await changeRecording(address, change, tokenOf(deps, options)));
}

/** Says whether it is being recorded; with `--quiet` in one word. */
export async function runState(
  deps: Deps,
  meeting: string,
  options: RecordingCommandOptions,
): Promise<number> {
  const address = resolveMeeting(meeting, options.server);
  const reply = await getLiveRecording(address, tokenOf(deps, options));
  deps.output.result(reply, options.quiet ? (reply.recording?.state ?? 'none') : sentence(reply));
  return EXIT.done;
}

function tokenOf({ context }: Deps, { hostToken: token }: RecordingCommandOptions): TokenOptions {
  if (token !== undefined) return { token, signal: context.interrupted };
  throw new MeetError('bad-config', 'This takes a host token.', {
    hint: 'Give the one that meet create printed with --host-token or in MEET_HOST_TOKEN.',
  });
}

function done({ output }: Deps, reply: LiveRecordingReply): number {
  output.outcome(reply, sentence(reply));
  return EXIT.done;
}

function sentence({ recording }: LiveRecordingReply): string {
  if (recording === null) return 'The meeting is not being recorded.';
  const { id, state, since, layout, pin, diskFull } = recording;
  return [
    `${state}: ${id ?? 'by a participant'}`,
    duration(Date.now() - since),
    pin === undefined ? layout : `${layout} with ${harmless(pin)}`,
    ...(diskFull ? ['no space left on its disk'] : []),
  ].join('  ');
}
