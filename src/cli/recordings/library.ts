/** `meet recordings list|show|url|delete|access`. */
import { pathToFileURL } from 'node:url';
import { resolveMeeting } from '../../client/api.ts';
import { harmless } from '../../client/chat/text.ts';
import {
  deleteRecording,
  getRecording,
  getRecordingUrl,
  listRecordings,
  type RecordingCallOptions,
  updateRecording,
} from '../../client/recordings.ts';
import { EXIT, MeetError } from '../../protocol/errors.ts';
import type { AccessRecordingOptions, UrlRecordingOptions } from '../commands/recordings/library.ts';
import type { CliContext, OutputOptions } from '../context.ts';
import type { Output } from '../output.ts';
import { type RecordingPlace, type RecordingsOptions, recordingPlace } from './address.ts';
import { type PrintedRecording, type RecordingDetails, recordingLine, recordingLines } from './print.ts';

interface Deps {
  readonly context: CliContext;
  readonly output: Output;
}

/** Prints the recordings of a meeting, or those in a folder. */
export async function runList(
  deps: Deps,
  meeting: string | undefined,
  options: RecordingsOptions & OutputOptions,
): Promise<number> {
  const { output, context } = deps;
  for (const recording of await found(deps, meeting, options, context.interrupted))
    output.result(recording, options.quiet ? recording.id : recordingLine(recording));
  return EXIT.done;
}

async function found(
  { output }: Deps,
  meeting: string | undefined,
  options: RecordingsOptions,
  signal: AbortSignal,
): Promise<readonly PrintedRecording[]> {
  if (options.dir !== undefined) {
    const { listLocal } = await import('./local.ts');
    const { recordings, damaged } = await listLocal(options.dir);
    for (const { error } of damaged) output.note(harmless(error.message));
    return recordings.filter(({ meetingId }) => meeting === undefined || meetingId === meeting);
  }
  if (meeting === undefined) {
    throw new MeetError('bad-config', 'Name the meeting whose recordings are to be listed.', {
      hint: 'Or give the folder that they are in with --dir.',
    });
  }
  const address = resolveMeeting(meeting, options.server);
  return (await listRecordings(address, { token: needToken(options.hostToken), signal })).recordings;
}

export async function runShow(deps: Deps, text: string, options: RecordingsOptions): Promise<number> {
  const place = recordingPlace(text, options);
  const recording = await look(deps, place);
  deps.output.result(recording, recordingLines(recording));
  return EXIT.done;
}

async function look(deps: Deps, place: RecordingPlace): Promise<PrintedRecording & RecordingDetails> {
  if ('folder' in place) return await (await import('./local.ts')).showLocal(place.folder, place.id);
  return await getRecording(place.server, place.id, queryOf(place), callOf(deps, place));
}

/** Prints a URL that is good for some time; of a file in a folder one that is good here. */
export async function runUrl(deps: Deps, text: string, options: UrlRecordingOptions): Promise<number> {
  const { file, expires, download } = options;
  const place = recordingPlace(text, options);
  if ('folder' in place) {
    const path = await (await import('./local.ts')).localFile(place.folder, place.id, file);
    const url = pathToFileURL(path).href;
    deps.output.result({ url, path }, url);
    return EXIT.done;
  }
  const query = {
    ...queryOf(place),
    ...(file === undefined ? {} : { file }),
    ...(expires === undefined ? {} : { expires: Math.ceil(expires / 1_000) }),
    ...(download ? { download } : {}),
  };
  const reply = await getRecordingUrl(place.server, place.id, query, callOf(deps, place));
  deps.output.result(reply, reply.url);
  return EXIT.done;
}

export async function runDelete(deps: Deps, text: string, options: RecordingsOptions): Promise<number> {
  const place = recordingPlace(text, options);
  if ('folder' in place) await (await import('./local.ts')).deleteLocal(place.folder, place.id);
  else await deleteRecording(place.server, place.id, callOf(deps, place));
  deps.output.outcome({ deleted: place.id }, `${place.id} is deleted.`);
  return EXIT.done;
}

/** Says who may see a recording; without anything to change prints who may. */
export async function runAccess(
  deps: Deps,
  text: string,
  scope: AccessRecordingOptions['scope'],
  options: AccessRecordingOptions,
): Promise<number> {
  const place = recordingPlace(text, options);
  if ('folder' in place) {
    throw new MeetError('bad-config', 'Who may see a recording is kept by a server.', {
      hint: 'In a folder it is whoever may read the files.',
    });
  }
  const { user: userIds, newLink } = options;
  const access = {
    ...(scope === undefined ? {} : { scope }),
    ...(userIds === undefined ? {} : { userIds: [...userIds] }),
    ...(newLink ? { newLink } : {}),
  };
  const call = callOf(deps, place);
  const changed =
    Object.keys(access).length === 0
      ? await getRecording(place.server, place.id, queryOf(place), call)
      : await updateRecording(place.server, place.id, { access }, call);
  const { link } = changed;
  const who = [changed.access.scope, ...(changed.access.userIds ?? [])].map(harmless).join(', ');
  deps.output.result(
    { access: changed.access, ...(link === undefined ? {} : { link }) },
    link === undefined ? who : `${who}\n${link}`,
  );
  return EXIT.done;
}

const queryOf = ({ link }: { link: string | undefined }) => (link === undefined ? {} : { link });

function callOf(
  { context }: Deps,
  { token, link }: { token: string | undefined; link: string | undefined },
): RecordingCallOptions {
  return { token: link === undefined ? needToken(token) : token, signal: context.interrupted };
}

function needToken(token: string | undefined): string {
  if (token !== undefined) return token;
  throw new MeetError('bad-config', 'This takes a token: of a host, or another that may see the recording.', {
    hint: 'Give it with --host-token or in MEET_HOST_TOKEN.',
  });
}
