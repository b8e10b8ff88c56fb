/** Files of the chat: taken, looked at, kept for their time. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { FileInfo, FileLink } from '../../protocol/chat.ts';
import { MeetError } from '../../protocol/errors.ts';
import { fileInfo } from '../chat/wire.ts';
import type { LiveState } from '../cluster/index.ts';
import type { FileLimits, ServerLogger } from '../config.ts';
import type { ObjectLinks, ObjectStore, Store } from '../store/index.ts';
import { ScannerUnreachable, scan } from './clamd.ts';
import { cleanFileName } from './file-name.ts';
import { checkType } from './file-type.ts';
import { Spool, type SpooledFile } from './spool.ts';

/** How long a link to a file is good for. */
const LINK_SECONDS = 600;
/** A file that no message has by then will have none. */
const UNSENT_TTL_MS = 3_600_000;
const SWEEP_INTERVAL_MS = 600_000;
const SWEEP_LEASE = 'files:sweep';
/** Deleted at once; what is left is for the next time. */
const SWEEP_BATCH = 100;

export interface Upload {
  readonly meetingId: string;
  readonly senderId: string;
  /** As the sender calls it. */
  readonly name: string;
  /** Media type that the sender says. */
  readonly type: string;
  readonly stream: Readable;
}

export interface FilesOptions {
  readonly limits: FileLimits;
  readonly dataDir: string;
  readonly store: Store;
  readonly objects: ObjectStore;
  readonly links: ObjectLinks;
  readonly live: LiveState;
  readonly serverId: string;
  readonly logger: ServerLogger;
}

export class Files {
  readonly #options: FilesOptions;
  readonly #spool: Spool;
  #sweeps: NodeJS.Timeout | undefined;

  private constructor(options: FilesOptions, spool: Spool) {
    this.#options = options;
    this.#spool = spool;
  }

  static async open(options: FilesOptions): Promise<Files> {
    return new Files(options, await Spool.open(join(options.dataDir, 'uploads')));
  }

  /** Clears up what is left of before, now and again; to be called once no other server has the data. */
  async start(): Promise<void> {
    await this.#spool.clear();
    this.#sweeps = setInterval(() => this.#sweepQuietly(), SWEEP_INTERVAL_MS);
    this.#sweepQuietly();
  }

  get maxSize(): number {
    return this.#options.limits.maxSize;
  }

  close(): void {
    clearInterval(this.#sweeps);
  }

  /**
   * Takes a file. Nothing of it is kept unless all of it is there and may be.
   *
   * @throws MeetError `bad-request` for an empty or cut one, `too-large`, `file-type-refused`, `file-infected`,
   * `scanner-unavailable`, `disk-full`, `storage-failed`
   */
  async receive(upload: Upload): Promise<FileInfo> {
    const spooled = await this.#spool.take(upload.stream, this.#options.limits.maxSize);
    try {
      return await this.#keep(upload, spooled);
    } finally {
      await spooled.remove();
    }
  }

  async #keep(upload: Upload, spooled: SpooledFile): Promise<FileInfo> {
    const { limits, objects, store } = this.#options;
    const { meetingId, senderId } = upload;
    if (spooled.size === 0) throw new MeetError('bad-request', 'The file is empty.');
    const name = cleanFileName(upload.name);
    const { path, size } = spooled;
    const contentType = await checkType({ path, name, declared: upload.type }, limits.types);
    const scanned = await this.#scan(spooled);
    const id = randomUUID();
    // Nothing that a stranger wrote is part of it.
    const location = `meetings/${meetingId}/files/${id}`;
    await objects.put(location, spooled.read(), { contentType, size });
    const createdAt = Date.now();
    const expiresAt = createdAt + limits.ttlMs;
    try {
      const file = {
        id,
        meetingId,
        senderId,
        name,
        contentType,
        size,
        location,
        scanned,
        createdAt,
        expiresAt,
      };
      return fileInfo(await store.files.create(file));
    } catch (error) {
      await objects.delete(location);
      throw error;
    }
  }

  /** Whether a scanner has seen it. @throws MeetError `file-infected`, `scanner-unavailable`, `too-large` */
  async #scan(spooled: SpooledFile): Promise<boolean> {
    const { limits, logger } = this.#options;
    if (limits.scanner === undefined) {
      if (limits.allowUnscanned) return false;
      throw new MeetError('scanner-unavailable', 'This server has no virus scanner, and takes no files.', {
        hint: 'Whoever runs it sets CLAMD_URL, or allows files that nobody has looked at.',
      });
    }
    try {
      const finding = await scan(limits.scanner, spooled.read());
      if (finding === undefined) return true;
      logger.warn({ finding }, 'An infected file was refused');
      throw new MeetError('file-infected', `The virus scanner found ${finding} in the file.`);
    } catch (error) {
      // A file over which the scanner breaks is not let in: it may be what broke it.
      if (!(error instanceof ScannerUnreachable) || !limits.allowUnscanned) throw error;
      logger.warn({ err: error }, 'A file is taken that no scanner has seen');
      return false;
    }
  }

  /**
   * Where one who can see the file gets it. `viewer` is a participant; `null` sees what is for everyone.
   *
   * @throws MeetError `not-found`, `file-expired`
   */
  async link(
    meetingId: string,
    fileId: string,
    { viewer, baseUrl }: { viewer: string | null; baseUrl: string },
  ): Promise<FileLink> {
    const { store, links } = this.#options;
    const file = await store.files.get(fileId);
    if (file?.meetingId !== meetingId || !(await store.files.isVisibleTo(fileId, viewer))) {
      throw new MeetError('not-found', 'There is no such file.');
    }
    const now = Date.now();
    if (file.deletedAt !== null || file.expiresAt <= now) {
      throw new MeetError('file-expired', 'The file was kept for its time and is gone.');
    }
    const left = Math.ceil((file.expiresAt - now) / 1_000);
    const expiresInSeconds = Math.min(LINK_SECONDS, left);
    const path = links.sign(file.location, { expiresInSeconds, downloadName: file.name });
    return {
      file: fileInfo(file),
      url: `${baseUrl}${path}`,
      urlExpiresAt: now + expiresInSeconds * 1_000,
    };
  }

  /** Deletes what has expired or was never sent. Answers how many. */
  async sweep(now = Date.now()): Promise<number> {
    const { store, objects, live, serverId } = this.#options;
    // One server is enough for all.
    if (!(await live.leases.acquire(SWEEP_LEASE, serverId, SWEEP_INTERVAL_MS))) return 0;
    const unsentBefore = now - UNSENT_TTL_MS;
    const expired = await store.files.listExpired({ now, unsentBefore, limit: SWEEP_BATCH });
    for (const { id, location } of expired) {
      await objects.delete(location);
      await store.files.markDeleted(id, now);
    }
    return expired.length;
  }

  #sweepQuietly(): void {
    this.sweep().catch((error: unknown) => {
      this.#options.logger.error(
        { err: error },
        'Expired files were not deleted; the next time makes another try',
      );
    });
  }
}
