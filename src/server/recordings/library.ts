/** The recordings that were made: found, opened, shared, deleted. */
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MeetError } from '../../protocol/errors.ts';
import type {
  RecordingFileQuery,
  RecordingInfo,
  RecordingUrlReply,
  UpdateRecordingBody,
} from '../../protocol/recording.ts';
import type { LiveState } from '../cluster/index.ts';
import type { ServerLogger } from '../config.ts';
import type { ObjectLinks, ObjectStore, Recording, Store, StoredRecordingFile } from '../store/index.ts';
import {
  RecordingAccess,
  type RecordingCaller,
  type RecordingStanding,
  recordingNotFound,
  requireStanding,
} from './access.ts';
import type { RecordingConfig } from './config.ts';
import { OBJECTS_PREFIX } from './files.ts';
import { recordingInfo } from './info.ts';

/** How long a URL is good for unless told otherwise. */
const DEFAULT_URL_SECONDS = 600;
/** 192 bits: it cannot be guessed. */
const LINK_KEY_BYTES = 24;
const SWEEP_INTERVAL_MS = 600_000;
const SWEEP_LEASE = 'recordings:sweep';
const SWEEP_BATCH = 20;
/** Keys of files in the recordings' folder begin with this in links. */
export const FOLDER_MOUNT = 'recordings-folder/';

export interface LibraryOptions {
  readonly config: RecordingConfig;
  readonly store: Store;
  readonly objects: ObjectStore;
  readonly links: ObjectLinks;
  readonly live: LiveState;
  readonly serverId: string;
  readonly logger: ServerLogger;
}

/** A request about one recording. */
export interface RecordingRequest {
  readonly id: string;
  readonly caller: RecordingCaller;
  /** The server's URL as the caller reaches it. */
  readonly baseUrl: string;
}

export class RecordingLibrary {
  readonly #options: LibraryOptions;
  readonly #access: RecordingAccess;
  #sweeps: NodeJS.Timeout | undefined;

  constructor(options: LibraryOptions) {
    this.#options = options;
    this.#access = new RecordingAccess(options.store);
  }

  /** Deletes what has expired, now and again. */
  start(): void {
    this.#sweeps = setInterval(() => this.#sweepQuietly(), SWEEP_INTERVAL_MS);
    this.#sweepQuietly();
  }

  close(): void {
    clearInterval(this.#sweeps);
  }

  /** Those of a meeting that the caller may see. */
  async list(meetingId: string, caller: RecordingCaller, baseUrl: string): Promise<RecordingInfo[]> {
    const { store } = this.#options;
    const meeting = await store.meetings.get(meetingId);
    const infos: RecordingInfo[] = [];
    for (const recording of await store.recordings.list(meetingId)) {
      const standing = await this.#access.standing(recording, caller, meeting);
      if (standing === 'manages' || standing === 'sees')
        infos.push(recordingInfo(recording, { manages: standing === 'manages', baseUrl }));
    }
    return infos;
  }

  /** @throws MeetError `recording-not-found`, `forbidden` */
  async get(request: RecordingRequest): Promise<RecordingInfo> {
    const { recording, standing } = await this.#find(request, 'sees');
    return recordingInfo(recording, { manages: standing === 'manages', baseUrl: request.baseUrl });
  }

  /**
   * A URL that is good for some time.
   *
   * @throws MeetError `recording-not-found`, `forbidden`, `recording-not-ready`, `not-found` for a file that it has not
   */
  async url(request: RecordingRequest, query: RecordingFileQuery): Promise<RecordingUrlReply> {
    const { recording } = await this.#find(request, 'sees');
    const file = fileOf(recording, query.file);
    const expiresInSeconds = query.expires ?? DEFAULT_URL_SECONDS;
    const path = this.#sign(file, expiresInSeconds, query.download === true);
    const { name, size, contentType } = file;
    return {
      file: { name, size, contentType },
      url: `${request.baseUrl}${path}`,
      urlExpiresAt: Date.now() + expiresInSeconds * 1_000,
    };
  }

  /** Path and query of a link to the recording itself; `undefined` where it has no file. */
  async sign({ files: [file] }: Recording, expiresInSeconds: number): Promise<string | undefined> {
    return file && this.#sign(file, expiresInSeconds, false);
  }

  /** @throws MeetError `recording-not-found`, `forbidden` */
  async update(request: RecordingRequest, { access }: UpdateRecordingBody): Promise<RecordingInfo> {
    const { recording } = await this.#find(request, 'manages');
    const { scope = recording.access.scope, userIds = recording.access.userIds, newLink = false } = access;
    const fresh = newLink || (scope === 'link' && recording.linkKey === null);
    const changed = await this.#options.store.recordings.update(recording.id, {
      access: { scope, userIds },
      ...(fresh ? { linkKey: randomBytes(LINK_KEY_BYTES).toString('base64url') } : {}),
    });
    if (changed === undefined) throw recordingNotFound();
    return recordingInfo(changed, { manages: true, baseUrl: request.baseUrl });
  }

  /** With all its files. @throws MeetError `recording-not-found`, `forbidden`, `recording-running`, `recording-not-ready` */
  async delete(request: RecordingRequest): Promise<void> {
    const { recording } = await this.#find(request, 'manages');
    if (recording.status === 'recording') {
      throw new MeetError('recording-running', 'The recording still runs.', { hint: 'Stop it first.' });
    }
    if (recording.status === 'processing') throw notReady();
    await this.#remove(recording);
  }

  /** Deletes what has expired. Answers how many. */
  async sweep(now = Date.now()): Promise<number> {
    const { store, live, serverId } = this.#options;
    if (!(await live.leases.acquire(SWEEP_LEASE, serverId, SWEEP_INTERVAL_MS))) return 0;
    const expired = await store.recordings.listExpired({ now, limit: SWEEP_BATCH });
    for (const recording of expired) await this.#remove(recording);
    return expired.length;
  }

  async #find(
    { id, caller }: RecordingRequest,
    least: 'manages' | 'sees',
  ): Promise<{ recording: Recording; standing: RecordingStanding }> {
    const { store } = this.#options;
    const recording = await store.recordings.get(id);
    if (recording === undefined) throw recordingNotFound();
    const meeting = await store.meetings.get(recording.meetingId);
    const standing = await this.#access.standing(recording, caller, meeting);
    requireStanding(standing, least);
    return { recording, standing };
  }

  #sign({ place, key, name }: StoredRecordingFile, expiresInSeconds: number, download: boolean): string {
    const downloadName = name.slice(name.lastIndexOf('/') + 1);
    return this.#options.links.sign(place === 'folder' ? `${FOLDER_MOUNT}${key}` : key, {
      expiresInSeconds,
      ...(download ? { downloadName } : {}),
    });
  }

  /** Files first: what is left after a fault is found again by its record. */
  async #remove(recording: Recording): Promise<void> {
    const { config, store, objects } = this.#options;
    // Whatever of it was uploaded, whether it is in the list or not.
    for await (const { key } of objects.list(`${OBJECTS_PREFIX}${recording.id}`)) await objects.delete(key);
    await rm(join(config.dir, recording.id), { recursive: true, force: true });
    await store.recordings.delete(recording.id);
  }

  #sweepQuietly(): void {
    this.sweep().catch((error: unknown) => {
      this.#options.logger.error(
        { err: error },
        'Expired recordings were not deleted; the next time makes another try',
      );
    });
  }
}

function fileOf({ files, status }: Recording, name: string | undefined): StoredRecordingFile {
  const file = name === undefined ? files[0] : files.find((one) => one.name === name);
  if (file !== undefined) return file;
  if (status === 'recording' || status === 'processing') throw notReady();
  throw new MeetError(
    'not-found',
    name === undefined ? 'The recording has no file.' : `It has no file "${name}".`,
  );
}

const notReady = () =>
  new MeetError('recording-not-ready', 'The recording is not finished yet.', {
    hint: 'Ask again when its status is "ready".',
  });
