/** The live file on its way to its target while it is still being recorded. */
import { EventEmitter } from 'node:events';
import { stat } from 'node:fs/promises';
import { MeetError } from '../../protocol/errors.ts';
import { type UploadEntry, UploadJournal } from './journal.ts';
import { Multipart } from './multipart.ts';
import { PART_BYTES } from './part-size.ts';
import { STUBBORN } from './retry.ts';
import { type LocalCopy, StreamSource } from './source.ts';
import { putObject, store, type UploadContext, type UploadOptions } from './stored-file.ts';
import type { StoredPart, UploadFault, UploadTarget, Verification } from './types.ts';

/** Without a local copy so many parts are held in memory: three minutes of an S3 that is away, at 3 Mbit/s. */
const BUFFERED_PARTS = 8;
/** After the last fragment: what is not uploaded by then is left to `uploadRecording`. */
const FINISH_MS = 10 * 60_000;

/** A fragment as the encoder's sinks get it. */
export interface LiveFragment {
  readonly sequence: number;
  readonly decodeTimeMs: number;
  readonly durationMs: number;
  readonly bytes: Buffer;
}

export interface LiveUploadEvents {
  /** A try has failed and is repeated. */
  fault: [fault: UploadFault];
  part: [part: StoredPart];
  /** No local copy, no room in memory: the fragment is missing in the object. */
  lost: [fragment: LiveFragment];
  /** Nothing more is uploaded while it is recorded; `uploadRecording` may do better. */
  stopped: [error: MeetError];
}

export interface LiveUploadOptions extends Omit<UploadOptions, 'onFault' | 'onPart'> {
  /** The recording's folder, with the journal. */
  readonly folder: string;
  readonly target: UploadTarget;
  /** Name of the live file in the folder. */
  readonly file: string;
  readonly key: string;
  /** What the stream's bytes are read from where it has them. What it has at the start is of before the recorder died. */
  readonly local?: LocalCopy | undefined;
  /** Parts held in memory without a local copy; 8 unless given. */
  readonly bufferedParts?: number | undefined;
  /** Milliseconds that `close` takes at most; ten minutes unless given. */
  readonly finishMs?: number | undefined;
}

export type LiveOutcome =
  | { readonly state: 'stored'; readonly verification: Verification }
  /** The journal says what is missing. */
  | { readonly state: 'pending'; readonly error: MeetError }
  | { readonly state: 'empty' };

/** A sink of the encoder. It never throws and never waits: a fault of the target is no fault of the recording. */
export class LiveUpload extends EventEmitter<LiveUploadEvents> {
  readonly #options: LiveUploadOptions;
  readonly #context: UploadContext;
  readonly #source: StreamSource;
  readonly #multipart: Multipart;
  readonly #abort: AbortController;
  readonly #partBytes: number;
  /** The finished file becomes the object without being copied, so nothing is uploaded as long as it has everything. */
  #linking: boolean;
  #stopped = false;
  #closed: Promise<LiveOutcome> | undefined;

  private constructor(options: LiveUploadOptions, journal: UploadJournal, linking: boolean) {
    super();
    const { folder, target, key, file, local, partBytes = PART_BYTES, parallel, retry = STUBBORN } = options;
    const start = local?.written() ?? 0;
    const known = journal.entry(key);
    const goesOn = known?.state === 'uploading' && known.file === file && start > 0;
    const parts = goesOn ? known.parts.filter(({ offset, size }) => offset + size <= start) : [];
    journal.set(key, goesOn ? { ...known, parts } : { file, state: 'uploading', partBytes, parts: [] });
    this.#options = options;
    this.#partBytes = goesOn ? known.partBytes : partBytes;
    this.#linking = linking;
    this.#source = new StreamSource(local, start);
    this.#abort = new AbortController();
    this.#context = {
      folder,
      target,
      journal,
      partBytes: this.#partBytes,
      parallel,
      retry,
      signal: options.signal ? AbortSignal.any([options.signal, this.#abort.signal]) : this.#abort.signal,
      onFault: (fault) => this.emit('fault', fault),
    };
    this.#multipart = new Multipart({
      ...this.#context,
      key,
      retry,
      source: this.#source,
      onPart: (part) => this.emit('part', part),
    });
    if (start > 0) this.#grow();
  }

  /**
   * Begins, or goes on where the folder's journal says that an earlier process stopped.
   * @throws MeetError `bad-request` for a key that cannot be, `no-permission`
   */
  static async open(options: LiveUploadOptions): Promise<LiveUpload> {
    const { folder, target, local } = options;
    const journal = await UploadJournal.open(folder, target);
    const linking = local !== undefined && (await target.sharesDisk(folder));
    return new LiveUpload(options, journal, linking);
  }

  /** Bytes of the stream so far; without those of lost fragments. */
  get size(): number {
    return this.#source.size;
  }

  /** Bytes in memory that neither the local copy nor the target has. */
  get heldBytes(): number {
    return this.#source.heldBytes;
  }

  /** The initialisation segment; one that follows a restart is not repeated in the file and not here. */
  init(bytes: Buffer): void {
    if (this.#closed !== undefined || this.#source.size > 0) return;
    this.#source.push(bytes);
  }

  /** The bytes must not be changed afterwards. */
  fragment(fragment: LiveFragment): void {
    if (this.#closed !== undefined) return;
    const { bytes } = fragment;
    const most = (this.#options.bufferedParts ?? BUFFERED_PARTS) * this.#partBytes;
    this.#source.settle();
    if (this.#source.heldBytes + bytes.length > most) {
      this.emit('lost', fragment);
    } else {
      this.#source.push(bytes);
    }
    this.#grow();
  }

  /** Finishes the object and compares it with what was recorded. Never throws; may be called twice. */
  close(): Promise<LiveOutcome> {
    this.#closed ??= this.#finish();
    return this.#closed;
  }

  #grow(): void {
    // The local file does not follow: its disk is full.
    if (this.#source.heldBytes > this.#partBytes) this.#linking = false;
    if (!this.#linking) this.#multipart.grow(this.#source.size);
    const { failure } = this.#multipart;
    if (failure === undefined || this.#stopped) return;
    this.#stopped = true;
    this.emit('stopped', failure);
  }

  async #finish(): Promise<LiveOutcome> {
    const { finishMs = FINISH_MS, key, file } = this.#options;
    const total = this.#source.size;
    if (total === 0) return { state: 'empty' };
    const timeout = setTimeout(() => {
      this.#abort.abort(
        new MeetError('storage-failed', `The upload of ${key} took too long and is left for later.`),
      );
    }, finishMs);
    try {
      const { verification, parts } = await this.#store(total);
      await store(this.#context, key, { file, local: await this.#localStamp(total), verification, parts });
      return { state: 'stored', verification };
    } catch (error) {
      return { state: 'pending', error: MeetError.from(error) };
    } finally {
      clearTimeout(timeout);
      this.#abort.abort(new MeetError('storage-failed', `The upload of ${key} has ended.`));
      await this.#multipart.settle();
    }
  }

  /** Of the local file where it has all of the stream. */
  async #localStamp(total: number): Promise<UploadEntry['local']> {
    const { local } = this.#options;
    if (local?.written() !== total) return undefined;
    const stats = await stat(local.path).catch(() => undefined);
    return stats?.size === total ? { size: total, mtimeMs: stats.mtimeMs } : undefined;
  }

  async #store(total: number): Promise<{ verification: Verification; parts?: StoredPart[] }> {
    const { local, key, target } = this.#options;
    if (this.#linking && local?.written() === total) {
      const verification = await target.link(local.path, key);
      if (verification !== undefined) return { verification };
    }
    if (total <= this.#partBytes && !this.#multipart.hasBegun) {
      const { verification, part } = await putObject(this.#context, key, this.#source, total);
      return { verification, parts: [{ ...part, etag: verification.etag }] };
    }
    return { verification: await this.#multipart.finish(total) };
  }
}
