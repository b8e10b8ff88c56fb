/** `upload.json`: what of a recording was uploaded where, so that whoever comes next uploads only the rest. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';
import { MeetError } from '../../protocol/errors.ts';
import { replaceFile } from '../folder/replace-file.ts';
import { ObjectTraits, type UploadTarget } from './types.ts';

const JOURNAL = 'upload.json';

const Hex = (length: number) => Type.String({ pattern: `^[0-9a-f]{${length}}$` });
const Bytes = Type.Integer({ minimum: 0 });

const JournalPart = Type.Object({
  number: Type.Integer({ minimum: 1, maximum: 10_000 }),
  offset: Bytes,
  size: Bytes,
  md5: Hex(32),
  sha256: Hex(64),
  etag: Type.String(),
});

/** How far an object is. */
export const UploadEntry = Type.Object({
  /** Path in the recording's folder, with `/`. */
  file: Type.String(),
  state: Type.Union([Type.Literal('uploading'), Type.Literal('stored')]),
  /** Of the first part. */
  partBytes: Type.Integer({ minimum: 1 }),
  /** Absent before the first part, and where the object was put in one piece. */
  uploadId: Type.Optional(Type.String()),
  checksums: Type.Optional(Type.Boolean()),
  parts: Type.Array(JournalPart),
  /** Of the local file when its upload was finished: when both are the same, it has not changed since. */
  local: Type.Optional(Type.Object({ size: Bytes, mtimeMs: Type.Number() })),
  size: Type.Optional(Bytes),
  etag: Type.Optional(Type.String()),
  verifiedBy: Type.Optional(
    Type.Union([
      Type.Literal('etag'),
      Type.Literal('checksum'),
      Type.Literal('content'),
      Type.Literal('link'),
      Type.Literal('reply'),
    ]),
  ),
  /** Milliseconds since the epoch. */
  storedAt: Type.Optional(Type.Number()),
  /** When the local file was removed, milliseconds since the epoch. */
  removedAt: Type.Optional(Type.Number()),
});
export type UploadEntry = Static<typeof UploadEntry>;

const Journal = Type.Object({
  version: Type.Literal(1),
  /** By their locations. */
  targets: Type.Record(
    Type.String(),
    Type.Object({
      traits: Type.Optional(ObjectTraits),
      /** By their keys. */
      objects: Type.Record(Type.String(), UploadEntry),
    }),
  ),
});
type Journal = Static<typeof Journal>;

/** The journal of one folder and one target. One process at a time, the one with the folder's lock, writes it. */
export class UploadJournal {
  readonly #path: string;
  readonly #journal: Journal;
  readonly #entries: Record<string, UploadEntry>;
  #saving: Promise<MeetError | undefined> = Promise.resolve(undefined);
  #waiting: Promise<MeetError | undefined> | undefined;

  private constructor(
    path: string,
    journal: Journal,
    { location, traits }: Pick<UploadTarget, 'location' | 'traits'>,
  ) {
    this.#path = path;
    this.#journal = journal;
    const target = journal.targets[location] ?? { objects: {} };
    journal.targets[location] = Object.keys(traits).length > 0 ? { ...target, traits } : target;
    this.#entries = target.objects;
  }

  /**
   * A journal that cannot be understood is begun anew: what was uploaded is compared with the local files then.
   * @throws MeetError `no-permission`
   */
  static async open(folder: string, target: UploadTarget): Promise<UploadJournal> {
    const journal = (await readJournal(folder)) ?? { version: 1, targets: {} };
    return new UploadJournal(join(folder, JOURNAL), journal, target);
  }

  get entries(): Readonly<Record<string, UploadEntry>> {
    return this.#entries;
  }

  entry(key: string): UploadEntry | undefined {
    return this.#entries[key];
  }

  set(key: string, entry: UploadEntry): void {
    this.#entries[key] = entry;
  }

  /**
   * Resolves when the journal, with all changes up to now, is on the disk, or with the error when it cannot be written:
   * on a full disk the upload goes on, and needs the journal only when the process dies.
   */
  save(): Promise<MeetError | undefined> {
    this.#waiting ??= this.#saving.then(() => {
      this.#waiting = undefined;
      this.#saving = replaceFile(this.#path, `${JSON.stringify(this.#journal)}\n`).then(
        () => undefined,
        (error: unknown) => MeetError.from(error),
      );
      return this.#saving;
    });
    return this.#waiting;
  }
}

/**
 * What a folder's `upload.json` says of all targets; `undefined` when there is none.
 * @throws MeetError `no-permission`
 */
export async function readJournal(folder: string): Promise<Journal | undefined> {
  const path = join(folder, JOURNAL);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'ENOENT') return undefined;
    throw new MeetError('no-permission', `${path} cannot be read.`, { cause });
  }
  try {
    const value: unknown = JSON.parse(text);
    return Value.Check(Journal, value) ? value : undefined;
  } catch {
    return undefined;
  }
}
