/** One object on its way by parts: what is uploaded, what is missing, and the journal of both. */
import { MeetError } from '../../protocol/errors.ts';
import type { UploadEntry, UploadJournal } from './journal.ts';
import { MAX_PARTS, partRange } from './part-size.ts';
import { codeOfFault, isForbidden, type RetryOptions, retrying } from './retry.ts';
import type {
  ListedPart,
  Part,
  PartRange,
  PartSource,
  StoredPart,
  UploadFault,
  UploadReference,
  UploadTarget,
  Verification,
} from './types.ts';

/** Parts on their way at once keep a line with a long way busy. */
const PARALLEL = 3;
/** Parts that have grown large go alone. */
const MAX_BYTES_UNDERWAY = 128 * 1024 * 1024;
/** What the target has lost or damaged is uploaded again, so often. */
const MAX_ROUNDS = 5;

export interface MultipartOptions {
  readonly target: UploadTarget;
  readonly journal: UploadJournal;
  readonly key: string;
  readonly source: PartSource;
  readonly retry: RetryOptions;
  readonly parallel?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onFault?: ((fault: UploadFault) => void) | undefined;
  /** Bytes that the target has taken since the beginning, each time it has taken some. */
  readonly onPart?: ((part: StoredPart) => void) | undefined;
}

export class Multipart {
  readonly #options: MultipartOptions;
  readonly #entry: UploadEntry;
  readonly #running = new Map<number, Promise<void>>();
  /** Numbers of the entry's parts. */
  #done: Set<number>;
  /** Parts of an earlier process: the file may have been cut and continued since. */
  #unchecked: StoredPart[];
  #begun: Promise<UploadReference> | undefined;
  /** What the target had when an upload was taken up again. */
  #resumed: Promise<ReadonlyMap<number, ListedPart> | undefined> | undefined;
  /** Bytes that the source has. */
  #available = 0;
  /** Bytes of the whole object, once known. */
  #total: number | undefined;
  /** Every part below is uploaded or under way. */
  #next = 1;
  /** How often the target lost the upload since it last took a part. */
  #losses = 0;
  #error: unknown;
  /** Buffers of parts that have arrived. */
  readonly #rooms: Buffer[] = [];

  /** Goes on where the journal's entry of the key says; it must be there. */
  constructor(options: MultipartOptions) {
    this.#options = options;
    const entry = options.journal.entry(options.key);
    if (entry === undefined) throw new Error(`The journal has no ${options.key}.`);
    this.#entry = entry;
    this.#done = new Set(entry.parts.map(({ number }) => number));
    this.#unchecked = [...entry.parts];
    if (entry.uploadId !== undefined) {
      const { uploadId, checksums = false } = entry;
      const upload = { key: options.key, uploadId, checksums };
      this.#begun = Promise.resolve(upload);
      // What cannot be listed is uploaded again.
      this.#resumed = this.#list(upload).then(
        (listed) => (typeof listed === 'string' ? undefined : listed),
        () => undefined,
      );
    }
  }

  /** Why nothing more is uploaded. */
  get failure(): MeetError | undefined {
    return this.#error === undefined ? undefined : MeetError.from(this.#error);
  }

  /** Bytes from the beginning on that the target has. */
  get uploaded(): number {
    return this.#contiguousEnd();
  }

  get hasBegun(): boolean {
    return this.#begun !== undefined;
  }

  /** The source has so many bytes by now: whole parts of them are uploaded. Never throws: `finish` does. */
  grow(available: number): void {
    this.#available = Math.max(this.#available, available);
    this.#pump();
  }

  /**
   * Uploads what is missing, makes the object, and compares it with what was sent.
   * @throws MeetError when it is given up; the journal has what was reached
   */
  async finish(total: number): Promise<Verification> {
    this.#total = total;
    this.#available = total;
    this.#drop(({ offset, size }) => offset + size > total);
    for (let round = 1; ; round++) {
      await this.#uploadAll();
      if (await this.#dropChanged()) continue;
      const verified = await this.#complete();
      if (verified !== undefined) return verified;
      if (round === MAX_ROUNDS)
        throw new MeetError('object-damaged', `The object store keeps losing parts of ${this.#options.key}.`);
    }
  }

  /** Waits until nothing is under way any more; what has arrived is in the journal. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#running.values());
    await this.#options.journal.save();
  }

  #pump(): void {
    if (this.#error !== undefined) return;
    const limit = this.#options.parallel ?? PARALLEL;
    while (this.#running.size < limit) {
      const range = this.#nextRange();
      if (range === undefined) return;
      if (this.#running.size > 0 && (this.#running.size + 1) * range.size > MAX_BYTES_UNDERWAY) return;
      this.#next = range.number + 1;
      this.#start(range);
    }
  }

  #nextRange(): PartRange | undefined {
    while (this.#done.has(this.#next) || this.#running.has(this.#next)) this.#next += 1;
    const { number, offset, size } = partRange(this.#next, this.#entry.partBytes);
    if (number > MAX_PARTS) {
      this.#error = new MeetError('too-large', `${this.#options.key} is larger than an object can be.`);
      return undefined;
    }
    const end = this.#total === undefined ? offset + size : Math.min(offset + size, this.#total);
    return end > this.#available || end <= offset ? undefined : { number, offset, size: end - offset };
  }

  #start(range: PartRange): void {
    const task = this.#upload(range)
      .catch((error: unknown) => {
        this.#error ??= error;
      })
      .finally(() => {
        this.#running.delete(range.number);
        this.#pump();
      });
    this.#running.set(range.number, task);
  }

  async #upload(range: PartRange): Promise<void> {
    const { source, target, journal, signal, onPart } = this.#options;
    const room = this.#rooms.pop();
    const { bytes, digests } = await source.read(range.offset, range.size, room);
    const part = { ...range, ...digests };
    const upload = await this.#begin();
    let etag: string;
    try {
      etag =
        (await this.#found(part)) ??
        (await this.#retrying(() => target.putPart(upload, part, bytes, signal)));
    } catch (error) {
      if (codeOfFault(error) !== 'NoSuchUpload') throw error;
      if (upload.uploadId === this.#entry.uploadId) this.#beginAnew();
      return;
    }
    this.#rooms.push(room !== undefined && room.length > bytes.length ? room : bytes);
    // Of an upload that was begun anew meanwhile.
    if (upload.uploadId !== this.#entry.uploadId) return;
    this.#losses = 0;
    this.#done.add(part.number);
    this.#entry.parts.push({ ...part, etag });
    this.#entry.parts.sort((a, b) => a.number - b.number);
    source.release(this.#contiguousEnd());
    onPart?.({ ...part, etag });
    await journal.save();
  }

  /** The part's ETag where the target has it and the journal did not get to know it any more. */
  async #found({ number, size, md5 }: Part): Promise<string | undefined> {
    const found = (await this.#resumed)?.get(number);
    return found?.size === size && found.etag === md5 ? md5 : undefined;
  }

  #begin(): Promise<UploadReference> {
    this.#begun ??= this.#retrying(() => this.#options.target.begin(this.#options.key)).then(
      async (upload) => {
        this.#entry.uploadId = upload.uploadId;
        this.#entry.checksums = upload.checksums;
        await this.#options.journal.save();
        return upload;
      },
    );
    return this.#begun;
  }

  async #uploadAll(): Promise<void> {
    this.#pump();
    while (this.#running.size > 0) await Promise.race(this.#running.values());
    if (this.#error !== undefined) throw this.#error;
  }

  /** Parts that an earlier process uploaded of bytes that are others by now; `true` when there were some. */
  async #dropChanged(): Promise<boolean> {
    const { source, signal } = this.#options;
    const changed = new Set<StoredPart>();
    for (const part of this.#unchecked) {
      signal?.throwIfAborted();
      // What is here no more is as it was uploaded.
      const found = await source.read(part.offset, part.size, this.#rooms[0]).catch(() => undefined);
      if (found !== undefined && found.digests.sha256 !== part.sha256) changed.add(part);
    }
    this.#unchecked = [];
    return this.#drop((part) => changed.has(part));
  }

  /** `undefined` when parts have to be uploaded again. */
  async #complete(): Promise<Verification | undefined> {
    const { target } = this.#options;
    const upload = await this.#begin();
    const { parts } = this.#entry;
    const there = await this.#list(upload);
    if (there === 'gone') return await this.#verifiedOrAnew();
    if (there !== 'unlisted') {
      const lost = ({ number, size, etag }: StoredPart) => {
        const found = there.get(number);
        return found?.size !== size || found.etag !== etag;
      };
      if (this.#drop(lost)) return undefined;
    }
    let replied: Verification;
    try {
      replied = await this.#retrying(() => target.complete(upload, parts), isAnswer);
    } catch (error) {
      const code = codeOfFault(error);
      if (code === 'NoSuchUpload') return await this.#verifiedOrAnew();
      if (code === 'InvalidPart' || code === 'InvalidPartOrder') return undefined;
      if (isDamaged(error)) return this.#beginAnew();
      throw error;
    }
    return replied.by === 'reply' ? await this.#verifiedOrAnew(replied) : replied;
  }

  /** Looks at what is under the key: the reply to the request that completed it may have been lost. */
  async #verifiedOrAnew(replied?: Verification): Promise<Verification | undefined> {
    const { target, key } = this.#options;
    const { parts } = this.#entry;
    const expected = { size: this.#contiguousEnd(), parts, multipart: true };
    try {
      const verified = await this.#retrying(() => target.verify(key, expected), isAnswer);
      return verified ?? this.#beginAnew();
    } catch (error) {
      if (isDamaged(error)) return this.#beginAnew();
      // Who may write and not read has the store's word for it.
      if (replied !== undefined && isForbidden(error)) return replied;
      throw error;
    }
  }

  async #list(upload: UploadReference): Promise<ReadonlyMap<number, ListedPart> | 'gone' | 'unlisted'> {
    const found = new Map<number, ListedPart>();
    let after: string | undefined;
    do {
      const page = await this.#retrying(() => this.#options.target.listParts(upload, after), isAnswer);
      if (typeof page === 'string') return page;
      for (const part of page.parts) found.set(part.number, part);
      after = page.next;
    } while (after !== undefined);
    return found;
  }

  /** Another upload from the first byte on, where they can still be read. */
  #beginAnew(): undefined {
    const { source, key } = this.#options;
    this.#losses += 1;
    if (!source.fromBeginning || this.#losses > MAX_ROUNDS)
      throw new MeetError('object-damaged', `The object store has lost the beginning of ${key}.`);
    delete this.#entry.uploadId;
    this.#begun = undefined;
    this.#drop(() => true);
  }

  /** Forgets uploaded parts; `true` when there were some. */
  #drop(which: (part: StoredPart) => boolean): boolean {
    const kept = this.#entry.parts.filter((part) => !which(part));
    const dropped = kept.length < this.#entry.parts.length;
    this.#entry.parts.splice(0, Number.POSITIVE_INFINITY, ...kept);
    this.#done = new Set(kept.map(({ number }) => number));
    if (dropped) this.#next = 1;
    return dropped;
  }

  #contiguousEnd(): number {
    let end = 0;
    for (const { offset, size } of this.#entry.parts) {
      if (offset !== end) break;
      end += size;
    }
    return end;
  }

  #retrying<Result>(
    task: () => Promise<Result>,
    isFinal: (error: MeetError) => boolean = isLost,
  ): Promise<Result> {
    const { retry, signal, key, onFault } = this.#options;
    return retrying(task, retry, {
      signal,
      isFinal,
      onFailure: (failure) => onFault?.({ key, ...failure }),
    });
  }
}

const isLost = (error: unknown) => codeOfFault(error) === 'NoSuchUpload';
const isDamaged = (error: unknown) => error instanceof MeetError && error.code === 'object-damaged';
/** Errors that say how the object or its parts are. */
const isAnswer = (error: unknown) =>
  isDamaged(error) ||
  isForbidden(error) ||
  /^(NoSuchUpload|InvalidPart|InvalidPartOrder)$/.test(codeOfFault(error));
