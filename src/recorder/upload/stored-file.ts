/** A file that does not change any more, made an object. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MeetError } from '../../protocol/errors.ts';
import type { UploadEntry, UploadJournal } from './journal.ts';
import { Multipart } from './multipart.ts';
import { PART_BYTES } from './part-size.ts';
import { isForbidden, PATIENT, type RetryOptions, retrying } from './retry.ts';
import { FileSource } from './source.ts';
import type { Part, PartSource, StoredPart, UploadFault, UploadTarget, Verification } from './types.ts';

/** What the target has lost or damaged is sent again, so often. */
const MAX_ROUNDS = 3;

/** What every upload may be told. */
export interface UploadOptions {
  readonly retry?: RetryOptions | undefined;
  /** Parts on their way at once; 3 unless given. */
  readonly parallel?: number | undefined;
  /** Size of a part; 8 MiB unless given, S3's least is 5 MiB. */
  readonly partBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** A try has failed and is repeated. */
  readonly onFault?: ((fault: UploadFault) => void) | undefined;
  readonly onPart?: ((part: StoredPart, key: string) => void) | undefined;
}

export interface UploadContext extends UploadOptions {
  readonly folder: string;
  readonly target: UploadTarget;
  readonly journal: UploadJournal;
}

/** Puts a small object in one piece. @throws MeetError when it is given up */
export async function putObject(
  { target, retry = PATIENT, signal, onFault }: UploadContext,
  key: string,
  source: PartSource,
  size: number,
): Promise<{ verification: Verification; part: Part }> {
  const { bytes, digests } = await source.read(0, size);
  const part = { number: 1, offset: 0, size, ...digests };
  const onFailure = (failure: Omit<UploadFault, 'key'>) => onFault?.({ key, ...failure });
  const hooks = { signal, onFailure };
  const expected = { size, parts: [part], multipart: false };
  const isDamaged = (error: unknown) => error instanceof MeetError && error.code === 'object-damaged';
  for (let round = 1; ; round++) {
    const replied = await retrying(() => target.put(key, bytes, digests, signal), retry, hooks);
    if (replied.by !== 'reply') return { verification: replied, part };
    try {
      const verify = () => target.verify(key, expected);
      const verification = await retrying(verify, retry, { ...hooks, isFinal: isDamaged });
      if (verification !== undefined) return { verification, part };
    } catch (error) {
      // Who may write and not read has the store's word for it.
      if (isForbidden(error)) return { verification: replied, part };
      if (!isDamaged(error) || round === MAX_ROUNDS) throw error;
    }
    if (round === MAX_ROUNDS)
      throw new MeetError('object-damaged', `The object ${key} was stored and is not there.`);
  }
}

/**
 * Makes a file of the recording's folder the object of the key, or finishes that. Nothing happens when the journal says
 * that it is there and the file is still the same.
 * @throws MeetError when it is given up; the journal has what was reached, and nothing local is touched
 */
export async function uploadFile(context: UploadContext, file: string, key: string): Promise<UploadEntry> {
  const { folder, target, journal, partBytes = PART_BYTES, retry = PATIENT } = context;
  const path = join(folder, file);
  const { size, mtimeMs } = await stat(path);
  const local = { size, mtimeMs };
  const known = journal.entry(key);
  if (known?.state === 'stored' && known.file === file && isSame(known.local, local)) return known;

  const source = new FileSource(path);
  let verification = await target.link(path, key);
  if (verification !== undefined) return await store(context, key, { file, local, verification });
  if (size <= partBytes && known?.uploadId === undefined) {
    const put = await putObject(context, key, source, size);
    const parts = [{ ...put.part, etag: put.verification.etag }];
    return await store(context, key, { file, local, parts, verification: put.verification });
  }
  // The live file's journal was begun before its size was known.
  const goesOn =
    known?.state === 'uploading' &&
    known.file === file &&
    (known.local === undefined || isSame(known.local, local));
  if (!goesOn) {
    await forget(context, key);
    journal.set(key, { file, state: 'uploading', partBytes, parts: [], local });
  }
  const { onPart, ...options } = context;
  const multipart = new Multipart({
    ...options,
    key,
    source,
    retry,
    onPart: (part) => onPart?.(part, key),
  });
  try {
    // On a full disk the target may have got more of the live file than the local copy.
    verification = await multipart.finish(Math.max(size, multipart.uploaded));
  } finally {
    await multipart.settle();
  }
  const after = await stat(path);
  if (!isSame({ size: after.size, mtimeMs: after.mtimeMs }, local))
    throw new MeetError('media-unusable', `${path} changed while it was uploaded.`);
  return await store(context, key, { file, local, verification });
}

interface Stored {
  readonly file: string;
  readonly local: UploadEntry['local'];
  readonly parts?: UploadEntry['parts'] | undefined;
  readonly verification: Verification;
}

/** Notes in the journal that the object is there. */
export async function store(
  { journal, partBytes = PART_BYTES }: UploadContext,
  key: string,
  { file, local, parts, verification }: Stored,
): Promise<UploadEntry> {
  const known = journal.entry(key);
  const entry: UploadEntry = {
    file,
    state: 'stored',
    partBytes: known?.partBytes ?? partBytes,
    parts: parts ?? known?.parts ?? [],
    ...(known?.uploadId === undefined || parts !== undefined ? {} : { uploadId: known.uploadId }),
    ...(local && { local }),
    size: verification.size,
    etag: verification.etag,
    verifiedBy: verification.by,
    storedAt: Date.now(),
  };
  journal.set(key, entry);
  // On a full disk the object is there all the same; the next run asks the target.
  await journal.save();
  return entry;
}

/** Gives up an upload that something else takes the place of, so that its parts are not kept and paid for. */
async function forget({ journal, target }: UploadContext, key: string): Promise<void> {
  const known = journal.entry(key);
  if (known?.state !== 'uploading' || known.uploadId === undefined) return;
  // The bucket's lifecycle removes what cannot be removed now.
  await target.abort({ key, uploadId: known.uploadId, checksums: false }).catch(() => {});
}

function isSame(one: UploadEntry['local'], other: UploadEntry['local']): boolean {
  return one !== undefined && one.size === other?.size && one.mtimeMs === other?.mtimeMs;
}
