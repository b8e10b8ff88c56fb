/** What is done with a recording when nothing more is recorded. */
import { copyFile, rename, rm, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { saveError } from '../../media/save/index.ts';
import { MeetError } from '../../protocol/errors.ts';
import { FILES, outputDurationMs, type RecordingFolder } from '../../recorder/folder/index.ts';
import type { LiveOutputs } from '../../recorder/live/open-live.ts';
import { folderBytes } from '../../recorder/tracks/disk.ts';
import { openUploadTarget, uploadRecording } from '../../recorder/upload/index.ts';
import type { RecordCommandOptions } from '../commands/record.ts';
import type { RecordReporter } from './report.ts';

interface Finishing {
  readonly reporter: RecordReporter;
  readonly options: RecordCommandOptions;
  readonly folder: RecordingFolder;
  /** Absent for a recording that was over when the command began. */
  readonly outputs?: LiveOutputs | undefined;
}

/** Puts the recording where it was to go and says that all is there; gives what went wrong, which is said too. */
export async function finish(finishing: Finishing): Promise<MeetError | undefined> {
  const { reporter, options, folder } = finishing;
  const errors: MeetError[] = [];
  const location = await upload(finishing).catch((error: unknown) => {
    errors.push(MeetError.from(error));
    return undefined;
  });
  if (options.out !== undefined) {
    await putOut(folder, resolve(options.out)).catch((error: unknown) => errors.push(MeetError.from(error)));
  }
  for (const error of errors) reporter.failed(error);
  const { recording, path } = folder;
  const file = recording.options.tracksOnly ? undefined : `${FILES.live}.${recording.options.format}`;
  reporter.finished({
    ...(file === undefined ? {} : { file }),
    durationMs: Math.round(outputDurationMs(recording, recording.stoppedAt ?? 0)),
    sizeBytes: file === undefined ? await folderBytes(path) : await bytesOf(folder.file(file)),
    ...(location === undefined ? {} : { location }),
  });
  return errors[0];
}

/** Gives where the recording is; what the live upload has not done is done again from the folder. */
async function upload({ reporter, options, folder, outputs }: Finishing): Promise<string | undefined> {
  if (options.s3 === undefined) return undefined;
  const live = await outputs?.upload?.close();
  const target = await openUploadTarget(options.s3);
  try {
    const { tracksOnly } = folder.recording.options;
    const at = (key: string) => `${target.location.replace(/\/+$/, '')}/${key}`;
    if (live?.state === 'stored' && outputs?.key !== undefined) {
      reporter.uploaded(at(outputs.key));
      return at(outputs.key);
    }
    if (live?.state === 'empty') return undefined;
    const { stored, failed } = await uploadRecording(folder.path, target);
    if (failed[0] !== undefined) throw failed[0].error;
    const [first] = stored;
    const location = tracksOnly || first === undefined ? at(folder.id) : at(first.key);
    reporter.uploaded(location);
    return location;
  } finally {
    target.close();
  }
}

/** Whoever opens the file while it is being copied has the old one, or none. @throws MeetError `disk-full`, `no-permission` */
async function putOut(folder: RecordingFolder, out: string): Promise<void> {
  const incoming = `${out}.${process.pid}.new`;
  try {
    await copyFile(folder.file(`${FILES.live}.${folder.recording.options.format}`), incoming);
    await rename(incoming, out);
  } catch (error) {
    await rm(incoming, { force: true }).catch(() => undefined);
    throw saveError(out, error);
  }
}

async function bytesOf(path: string): Promise<number> {
  return await stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}
