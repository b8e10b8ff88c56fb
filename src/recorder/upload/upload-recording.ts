/** All of a recording's folder, uploaded or finished: what a command and the next cron run call. */
import { rm, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { MeetError } from '../../protocol/errors.ts';
import { contentsOf, isMedia, isTrack, type UploadedFile } from './contents.ts';
import { type UploadEntry, UploadJournal } from './journal.ts';
import { PART_BYTES } from './part-size.ts';
import { concernsAll } from './retry.ts';
import { type UploadContext, type UploadOptions, uploadFile } from './stored-file.ts';
import type { UploadTarget, VerifiedBy } from './types.ts';

/** Pictures of a timeline are many and small: most of the time for each is the way to the target. */
const SMALL_AT_ONCE = 4;

export interface UploadRecordingOptions extends UploadOptions {
  /** What the keys begin with; the folder's name unless given. */
  readonly keyPrefix?: string | undefined;
  /** Removes the live, finished and track files here once the target has them, verified. */
  readonly removeLocal?: boolean | undefined;
  readonly onStored?: ((stored: StoredObject) => void) | undefined;
}

export interface StoredObject {
  readonly file: string;
  readonly key: string;
  readonly size: number;
  readonly verifiedBy: VerifiedBy;
  /** It was there before this run. */
  readonly unchanged: boolean;
}

export interface UploadReport {
  /** What is watched first. */
  readonly stored: readonly StoredObject[];
  readonly failed: readonly { readonly file: string; readonly key: string; readonly error: MeetError }[];
  /** Files that are only at the target by now. */
  readonly removed: readonly string[];
}

/**
 * Uploads what the target does not have yet, and goes on with what was begun. Whoever calls it has the folder's lock.
 * Safe to repeat: what has not changed since is not touched. A file that fails stops none of the others, unless the
 * target takes nothing at all. Nothing local is changed but the journal, and what `removeLocal` says.
 * @throws MeetError `not-found`, `no-permission`, the signal's reason
 */
export async function uploadRecording(
  folder: string,
  target: UploadTarget,
  options: UploadRecordingOptions = {},
): Promise<UploadReport> {
  const {
    keyPrefix = basename(resolve(folder)),
    removeLocal = false,
    partBytes = PART_BYTES,
    signal,
  } = options;
  const journal = await UploadJournal.open(folder, target);
  const context: UploadContext = { ...options, folder, target, journal };
  const files = await contentsOf(folder, keyPrefix);
  const stored: StoredObject[] = [];
  const failed: { file: string; key: string; error: MeetError }[] = [];
  let refused = false;
  const upload = async ({ file, key, size }: UploadedFile): Promise<void> => {
    if (refused) return;
    const before = journal.entry(key);
    try {
      const entry = await uploadFile(context, file, key);
      const object = {
        file,
        key,
        size,
        verifiedBy: entry.verifiedBy ?? 'reply',
        unchanged: entry === before,
      };
      stored.push(object);
      options.onStored?.(object);
    } catch (cause) {
      signal?.throwIfAborted();
      const error = MeetError.from(cause);
      failed.push({ file, key, error });
      refused ||= concernsAll(error);
    }
  };
  const small = files.filter(({ size }) => size <= partBytes);
  const large = files.filter(({ size }) => size > partBytes);
  for (const one of large.filter(({ file }) => !isTrack(file))) await upload(one);
  const worker = async () => {
    for (let next = small.shift(); next !== undefined; next = small.shift()) await upload(next);
  };
  await Promise.all(Array.from({ length: SMALL_AT_ONCE }, worker));
  for (const one of large.filter(({ file }) => isTrack(file))) await upload(one);
  const removed = removeLocal && failed.length === 0 ? await removeStored(context) : [];
  const order = new Map(files.map(({ key }, index) => [key, index]));
  stored.sort((a, b) => (order.get(a.key) ?? 0) - (order.get(b.key) ?? 0));
  return { stored, failed, removed };
}

/** Removes what the target has for certain, asked once more, and what has been replaced by it. */
async function removeStored(context: UploadContext): Promise<string[]> {
  const { folder, journal } = context;
  const removed: string[] = [];
  for (const [key, entry] of Object.entries(journal.entries)) {
    if (!isMedia(entry.file) || !(await isSafe(context, key, entry))) continue;
    const files = [entry.file, entry.file.replace(/^recording\./, 'live.')];
    for (const file of new Set(files)) {
      if (!(await isFile(join(folder, file)))) continue;
      await rm(join(folder, file));
      removed.push(file);
    }
    journal.set(key, { ...entry, removedAt: Date.now() });
  }
  if (removed.length > 0) await journal.save();
  return removed;
}

/** Whether the object is there as it was sent, and the local file is still the one that was sent. */
async function isSafe({ folder, target }: UploadContext, key: string, entry: UploadEntry): Promise<boolean> {
  const { state, verifiedBy, local, file, size = 0, parts, uploadId } = entry;
  if (state !== 'stored' || verifiedBy === undefined || verifiedBy === 'reply' || local === undefined)
    return false;
  const path = join(folder, file);
  const stats = await stat(path).catch(() => undefined);
  if (stats?.size !== local.size || stats.mtimeMs !== local.mtimeMs) return false;
  if (verifiedBy === 'link') return (await target.link(path, key)) !== undefined;
  return (await target.verify(key, { size, parts, multipart: uploadId !== undefined })) !== undefined;
}

async function isFile(path: string): Promise<boolean> {
  return await stat(path).then(
    (stats) => stats.isFile(),
    () => false,
  );
}
