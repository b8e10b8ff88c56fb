/** Watches over one recorder: starts it, starts it again, hears what it says, ends it. */
import { type FSWatcher, watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MeetError } from '../../protocol/errors.ts';
import type { RecorderControl } from '../../protocol/recorder.ts';
import type { ServerLogger } from '../config.ts';
import type {
  ObjectStore,
  RecorderRecord,
  Recording,
  RecordingPatch,
  Store,
  WantedRecording,
} from '../store/index.ts';
import type { RecorderCall } from './command.ts';
import type { RecordingConfig } from './config.ts';
import { readEvents } from './event-file.ts';
import { allFiles, filesInFolder, filesInStore } from './files.ts';
import { progressOf, type RecordingNews } from './progress.ts';
import { EVENTS_FILE, LOG_FILE, RecorderProcess } from './recorder-process.ts';

/** How often it is looked at without any sign from it. */
const TICK_MS = 1_000;
/** Starts of one that dies; beyond them something is wrong that another start does not mend. */
const MAX_STARTS = { record: 6, process: 3 } as const;
/** The first start after a death is at once, the next ones come later and later. */
const RESTART_DELAYS_MS = [0, 0, 500, 1_000, 2_000, 4_000];
/** One that has run for so long did not die of its start. */
const HEALTHY_MS = 300_000;
/** From the signal to end on until it is killed. */
const KILL_AFTER_MS = 60_000;
/** Of its last words, what goes into a sentence. */
const MAX_REASON_CHARACTERS = 300;

export interface SupervisorOptions {
  readonly recording: Recording;
  readonly config: RecordingConfig;
  readonly store: Store;
  readonly objects: ObjectStore;
  /** The command for the stage that the recording is in. */
  readonly call: (recording: Recording) => Promise<RecorderCall>;
  /** Something of it is another now; `news` is what has happened. */
  readonly onChange: (recording: Recording, news: readonly RecordingNews[]) => Promise<void>;
  /** There is nothing more to watch over. */
  readonly onEnd: () => void;
  readonly logger: ServerLogger;
}

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #folder: string;
  #recording: Recording;
  #process: RecorderProcess | undefined;
  #told: string;
  #startedAt = 0;
  #nextStartAt = 0;
  #signalledAt: number | undefined;
  #watcher: FSWatcher | undefined;
  #tick: NodeJS.Timeout | undefined;
  #work: Promise<void> = Promise.resolve();
  #pending = false;
  #closed = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#recording = options.recording;
    this.#folder = join(options.config.dir, options.recording.id);
    this.#told = orders(options.recording);
  }

  /** Starts the recorder for the first time. @throws MeetError `recorder-failed` */
  async start(): Promise<void> {
    await this.#spawn();
    this.#observe();
  }

  /** Takes over what another process of this server left: its recorder may run or not. */
  resume(): void {
    const pid = this.#recording.recorder?.pid;
    if (pid !== null && pid !== undefined) this.#adopt(RecorderProcess.found(pid, this.#recording.id));
    // What it was told while nobody watched is not known: it is told again by signaling.
    this.#observe();
    this.look();
  }

  /** Looks at once at what there is to be done. */
  look(): void {
    if (this.#pending || this.#closed) return;
    this.#pending = true;
    this.#work = this.#work
      .then(async () => {
        this.#pending = false;
        if (!this.#closed) await this.#reconcile();
      })
      .catch((error: unknown) => {
        this.#options.logger.error({ err: error }, 'A recording could not be looked after');
      });
  }

  /** Lets the recorder go on by itself; resolves when nothing more is done here. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#tick);
    this.#watcher?.close();
    await this.#work;
    this.#process?.release();
  }

  #observe(): void {
    this.#tick = setInterval(() => this.look(), TICK_MS);
    try {
      this.#watcher = watch(this.#folder, { persistent: false }, (_change, name) => {
        // Media are written beside it all the time.
        if (name === EVENTS_FILE) this.look();
      });
      this.#watcher.on('error', () => this.#watcher?.close());
    } catch {
      // The tick finds it, too, only later.
    }
  }

  async #reconcile(): Promise<void> {
    const { store } = this.#options;
    const stored = await store.recordings.get(this.#recording.id);
    if (stored === undefined) {
      await this.#process?.kill('SIGKILL');
      return this.#end();
    }
    this.#recording = stored;
    const running = this.#process !== undefined && (await this.#process.running());
    // After the look at the process: what it said last is there once it is gone.
    await this.#listen();
    if (running) await this.#direct();
    else await this.#gone();
  }

  async #listen(): Promise<void> {
    const { recorder } = this.#recording;
    if (recorder === null) return;
    const { events, offset } = await readEvents(join(this.#folder, EVENTS_FILE), recorder.read);
    if (offset === recorder.read) return;
    const { patch, news } = progressOf(this.#recording, events, offset);
    await this.#change(patch, news);
  }

  /** Makes a running one do what is wanted. */
  async #direct(): Promise<void> {
    const { wanted, status } = this.#recording;
    if (status !== 'recording') return;
    const now = orders(this.#recording);
    if (now !== this.#told) {
      this.#told = now;
      this.#process?.tell(JSON.parse(now) as RecorderControl);
    }
    if (wanted.stopAt === null) return;
    const overdue = Date.now() - wanted.stopAt - this.#options.config.stopMs;
    if (overdue >= KILL_AFTER_MS) await this.#process?.kill('SIGKILL');
    else if (overdue >= 0 && this.#signalledAt === undefined) {
      this.#signalledAt = Date.now();
      await this.#process?.kill('SIGTERM');
    }
  }

  async #gone(): Promise<void> {
    const { recorder } = this.#recording;
    if (recorder === null || this.#recording.status === 'ready' || this.#recording.status === 'failed')
      return this.#end();
    switch (recorder.stage) {
      case 'recorded':
        return await this.#processNext(recorder);
      case 'processed':
        return await this.#ready();
      default:
        if (this.#process !== undefined || recorder.pid !== null) await this.#noticeDeath(recorder);
        if (this.#recording.wanted.stopAt !== null && this.#recording.startedAt === null)
          return await this.#fail('It was stopped before anything was recorded.');
        // What it has recorded is there, also where it could not say so or the meeting is gone.
        if (recorder.stage === 'record' && this.#hasNoMoreToRecord())
          return await this.#processNext(recorder);
        return await this.#restart();
    }
  }

  /** It was stopping already, or could not stop when it was started for that. */
  #hasNoMoreToRecord(): boolean {
    const { status, wanted } = this.#recording;
    return status === 'processing' || (wanted.stopAt !== null && this.#startedAt > wanted.stopAt);
  }

  /** The recorder's work is done; now comes what is made of it. */
  async #processNext(recorder: RecorderRecord): Promise<void> {
    const { status, endedAt, pauses } = this.#recording;
    const at = Date.now();
    this.#process = undefined;
    this.#nextStartAt = 0;
    await this.#change(
      {
        status: 'processing',
        endedAt: endedAt ?? at,
        pauses: pauses.map(({ from, to }) => ({ from, to: to ?? at })),
        files: await this.#files(),
        recorder: { ...recorder, stage: 'process', pid: null, starts: 0 },
      },
      status === 'recording' ? ['stopped'] : [],
    );
    await this.#restart();
  }

  /** It ended before its work was done. */
  async #noticeDeath(recorder: RecorderRecord): Promise<void> {
    const { logger } = this.#options;
    this.#process?.release();
    this.#process = undefined;
    const healthy = this.#startedAt > 0 && Date.now() - this.#startedAt >= HEALTHY_MS;
    const starts = healthy ? 1 : recorder.starts;
    this.#nextStartAt = Date.now() + (RESTART_DELAYS_MS[starts] ?? 0);
    logger.warn({ starts, stage: recorder.stage }, 'A recorder ended before its work was done');
    await this.#change({
      recorder: { ...recorder, pid: null, starts, recovering: recorder.stage === 'record' },
    });
  }

  async #restart(): Promise<void> {
    const { recorder } = this.#recording;
    if (recorder === null || Date.now() < this.#nextStartAt) return;
    if (recorder.starts >= MAX_STARTS[recorder.stage === 'process' ? 'process' : 'record']) {
      // What comes after the meeting is no part of the recording itself.
      if (recorder.stage === 'process') return await this.#ready();
      return await this.#fail(await this.#lastWords(recorder.starts));
    }
    try {
      await this.#spawn();
      if (recorder.stage === 'record') await this.#options.onChange(this.#recording, ['restarted']);
    } catch (error) {
      this.#options.logger.error({ err: error }, 'A recorder could not be started');
      this.#nextStartAt = Date.now() + (RESTART_DELAYS_MS[recorder.starts + 1] ?? 0);
      await this.#change({ recorder: { ...recorder, starts: recorder.starts + 1 } });
    }
  }

  async #spawn(): Promise<void> {
    const { config, call } = this.#options;
    const mark = this.#recording.id;
    this.#told = orders(this.#recording);
    const started = await RecorderProcess.start(config.command, await call(this.#recording), {
      folder: this.#folder,
      mark,
    });
    this.#adopt(started);
    this.#startedAt = Date.now();
    this.#signalledAt = undefined;
    const { recorder } = this.#recording;
    if (recorder !== null)
      await this.#change({ recorder: { ...recorder, pid: started.pid, starts: recorder.starts + 1 } });
    // Arguments say the layout, and nothing of a pause.
    if (this.#recording.wanted.paused) started.tell({ paused: true });
  }

  #adopt(found: RecorderProcess): void {
    this.#process = found;
    found.on('exit', () => this.look());
  }

  async #ready(): Promise<void> {
    const { ttlMs } = this.#options.config;
    const { recorder, endedAt, sizeBytes } = this.#recording;
    const files = await this.#files();
    await this.#change(
      {
        ...{ status: 'ready', files, sizeBytes: files[0]?.size ?? sizeBytes },
        expiresAt: (endedAt ?? Date.now()) + ttlMs,
        recorder: recorder && { ...recorder, pid: null },
      },
      ['ready'],
    );
    this.#end();
  }

  async #fail(error: string): Promise<void> {
    const { ttlMs } = this.#options.config;
    const { recorder } = this.#recording;
    const endedAt = this.#recording.endedAt ?? Date.now();
    await this.#change(
      {
        ...{ status: 'failed', error, endedAt, expiresAt: endedAt + ttlMs },
        files: await this.#files(),
        recorder: recorder && { ...recorder, pid: null },
      },
      ['failed'],
    );
    this.#end();
  }

  async #files(): Promise<Recording['files']> {
    const { config, objects, logger } = this.#options;
    const { id } = this.#recording;
    const local = await filesInFolder(config.dir, id);
    // A folder for objects is no place that recordings are uploaded to.
    if (objects.kind === 'folder') return local;
    const uploaded = await filesInStore(objects, id).catch((error: unknown) => {
      logger.error({ err: error }, 'What was uploaded of a recording could not be listed');
      return [];
    });
    return allFiles(uploaded, local);
  }

  /** A sentence with what it said last on stderr. */
  async #lastWords(starts: number): Promise<string> {
    const text = await readFile(join(this.#folder, LOG_FILE), 'utf8').catch(() => '');
    const last = text.trimEnd().split('\n').at(-1) ?? '';
    const sentence = `The recorder died ${starts} times`;
    return last === '' ? `${sentence}.` : `${sentence}; last it said: ${readable(last)}`;
  }

  async #change(patch: RecordingPatch, news: readonly RecordingNews[] = []): Promise<void> {
    const { store, onChange } = this.#options;
    const changed = await store.recordings.update(this.#recording.id, patch);
    if (changed === undefined) throw new MeetError('recording-not-found', 'The recording was deleted.');
    this.#recording = changed;
    await onChange(changed, news);
  }

  #end(): void {
    this.#closed = true;
    clearInterval(this.#tick);
    this.#watcher?.close();
    this.#process?.release();
    this.#options.onEnd();
  }
}

/** What a recorder is told, as text. */
function orders({ layout, wanted }: { layout: Recording['layout']; wanted: WantedRecording }): string {
  const control: RecorderControl = {
    layout,
    pin: wanted.pin,
    paused: wanted.paused,
    ...(wanted.stopAt === null ? {} : { stop: true }),
  };
  return JSON.stringify(control);
}

/** An error as a command with `--json` says it is a sentence in an object. */
function readable(line: string): string {
  try {
    const { error } = JSON.parse(line) as { error?: { message?: unknown } };
    if (typeof error?.message === 'string') return error.message;
  } catch {
    // A sentence as it is.
  }
  return line.slice(0, MAX_REASON_CHARACTERS);
}
