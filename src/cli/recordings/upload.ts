import { basename, resolve } from 'node:path';
import { formatObjectLocation, parseObjectLocation } from '../../objects/location.ts';
import { EXIT, MeetError } from '../../protocol/errors.ts';
import { isUnfinished, listRecordings, RecordingFolder } from '../../recorder/folder/index.ts';
import {
  type ObjectTraits,
  openUploadTarget,
  readJournal,
  type UploadFault,
  type UploadReport,
  uploadRecording,
} from '../../recorder/upload/index.ts';
import { traitsOf } from '../commands/recordings/target-options.ts';
import type { UploadCommandOptions } from '../commands/recordings/upload.ts';
import type { CliContext } from '../context.ts';
import type { Output } from '../output.ts';
import { recordingPath } from './path.ts';

interface Deps {
  readonly context: CliContext;
  readonly output: Output;
}

interface Destination {
  readonly location: string;
  readonly traits?: ObjectTraits | undefined;
}

/** Uploads one recording, or all that are over; resolves with the exit code. */
export async function runUpload(
  deps: Deps,
  id: string | undefined,
  options: UploadCommandOptions,
): Promise<number> {
  if (id !== undefined && options.all)
    throw new MeetError('bad-request', 'Give the id of a recording or --all, not both.');
  if (options.s3 !== undefined) parseObjectLocation(options.s3);
  const directory = resolve(options.dir);
  if (id !== undefined) return await uploadOne(deps, recordingPath(directory, id), options, true);
  let code: number = EXIT.done;
  for (const path of await over(directory, deps.output)) {
    try {
      const one = await uploadOne(deps, path, options, false);
      if (one !== EXIT.done) code = one;
    } catch (error) {
      deps.context.interrupted.throwIfAborted();
      const failure = MeetError.from(error);
      // Whoever works on it uploads it, too, or leaves it to the next run.
      if (failure.code === 'recording-busy') continue;
      deps.output.error(failure);
      code = failure.exitCode;
    }
  }
  return code;
}

/** Recordings that are over, the oldest first; what cannot be read is said. */
async function over(directory: string, output: Output): Promise<string[]> {
  const { recordings, damaged } = await listRecordings(directory);
  for (const { error } of damaged) output.note(error.message);
  return recordings
    .filter(({ recording, busy }) => !busy && !isUnfinished(recording.state))
    .map(({ path }) => path)
    .reverse();
}

async function uploadOne(
  { context, output }: Deps,
  path: string,
  options: UploadCommandOptions,
  asked: boolean,
): Promise<number> {
  const folder = await RecordingFolder.open(path);
  try {
    const destinations = await destinationsOf(path, options);
    if (destinations.length === 0) {
      if (!asked) return EXIT.done;
      throw new MeetError('bad-config', `It was never said where the recording ${folder.id} is to go.`, {
        hint: 'Give --s3 s3://bucket/prefix or a folder.',
      });
    }
    const errors: MeetError[] = [];
    for (const { location, traits } of destinations) {
      const target = await openUploadTarget(location, { traits });
      try {
        const report = await uploadRecording(path, target, {
          parallel: options.parallel,
          removeLocal: options.removeLocal,
          signal: context.interrupted,
          onFault: (fault) => tellFault(output, folder.id, fault),
          onStored: ({ key, ...stored }) => {
            const url = target.urlOf(key);
            output.event('stored', { id: folder.id, url, ...stored });
            if (!stored.unchanged)
              output.line(`${folder.id}  ${stored.file} → ${url} (${stored.verifiedBy})`);
          },
        });
        for (const { error } of report.failed) {
          errors.push(error);
          output.error(error);
        }
        tellReport(output, folder.id, target.urlOf(basename(path)), report);
      } finally {
        target.close();
      }
    }
    await note(folder, errors);
    return errors[0]?.exitCode ?? EXIT.done;
  } finally {
    await folder.close();
  }
}

/** Where it is told to go, else where it has begun to go. */
async function destinationsOf(path: string, options: UploadCommandOptions): Promise<Destination[]> {
  const known = (await readJournal(path))?.targets ?? {};
  const traits = traitsOf(options);
  const all = Object.entries(known).map(([location, target]) => ({
    location,
    traits: traits ?? target.traits,
  }));
  if (options.s3 === undefined) return all;
  const wanted = formatObjectLocation(parseObjectLocation(options.s3));
  return [all.find(({ location }) => location === wanted) ?? { location: wanted, traits }];
}

function tellFault(output: Output, id: string, { key, error, attempt, waitMs }: UploadFault): void {
  const { code, message } = error;
  output.event('upload-fault', { id, key, attempt, waitMs, error: { code, message } });
  // The first one is every network's.
  if (attempt > 1) output.note(`${id}  ${message} Trying again in ${(waitMs / 1_000).toFixed(1)} s.`);
}

function tellReport(
  output: Output,
  id: string,
  url: string,
  { stored, failed, removed }: UploadReport,
): void {
  const fresh = stored.filter(({ unchanged }) => !unchanged);
  const bytes = fresh.reduce((sum, { size }) => sum + size, 0);
  output.event('uploaded', {
    id,
    url,
    objects: stored.length,
    uploaded: fresh.length,
    bytes,
    removed,
    failed: failed.length,
  });
  if (failed.length > 0) return;
  output.line(
    fresh.length === 0
      ? `${id}  is at ${url}`
      : `${id}  ${fresh.length} objects, ${(bytes / 1e6).toFixed(1)} MB at ${url}`,
  );
}

/** How it went, in the recording's state. */
async function note(folder: RecordingFolder, [error]: readonly MeetError[]): Promise<void> {
  const before = folder.recording.steps.upload;
  if (error === undefined && before?.state === 'done') return;
  await folder.setStep('upload', {
    state: error === undefined ? 'done' : 'failed',
    attempts: (before?.attempts ?? 0) + 1,
    ...(error && { error: error.message }),
  });
}
