/** The recordings that run: started, changed and stopped here, each looked after by a supervisor. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { MeetError } from '../../protocol/errors.ts';
import type { ChangeRecording, LiveRecording, StartRecording } from '../../protocol/recording.ts';
import type { Tokens } from '../auth/tokens.ts';
import type { LiveState } from '../cluster/index.ts';
import type { ServerLogger } from '../config.ts';
import type { MeetingSignals } from '../meetings/signals.ts';
import type { Meeting, ObjectStore, Recording, Store } from '../store/index.ts';
import { processCall, type RecorderCall, recordCall } from './command.ts';
import { checkSize, type RecordingConfig } from './config.ts';
import { uploadUrl } from './files.ts';
import { liveRecording } from './info.ts';
import type { Messenger } from './messenger.ts';
import type { RecordingNews } from './progress.ts';
import { Supervisor } from './supervisor.ts';

/** A server that is gone for so long has lost its recording to another one. */
const LEASE_MS = 30_000;
const leaseOf = (meetingId: string) => `recording:${meetingId}`;

export interface RecordingsOptions {
  readonly config: RecordingConfig;
  readonly store: Store;
  readonly live: LiveState;
  readonly signals: MeetingSignals;
  readonly tokens: Tokens;
  readonly serverId: string;
  readonly objects: ObjectStore;
  readonly objectsUrl: string | undefined;
  /** Tells those who are not in the meeting. */
  readonly messenger: Messenger;
  /** Base URL by which a recorder on this machine reaches the server. */
  readonly localUrl: () => string;
  readonly logger: ServerLogger;
}

export class Recordings {
  readonly #options: RecordingsOptions;
  readonly #supervisors = new Map<string, Supervisor>();
  /** Meetings whose recording ends unless somebody comes. */
  readonly #deserted = new Map<string, NodeJS.Timeout>();
  /** What everybody was told last, by meeting. */
  readonly #told = new Map<string, { readonly id: string; readonly text: string }>();
  #leases: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: RecordingsOptions) {
    this.#options = options;
  }

  /** What everybody is told of the recording that the server makes of a meeting. */
  async liveOf(meetingId: string): Promise<LiveRecording | null> {
    return liveRecording(await this.#options.store.recordings.running(meetingId));
  }

  /** @throws MeetError `recording-unavailable`, `recording-running` */
  async requireStartable(meetingId: string): Promise<void> {
    const { config, store } = this.#options;
    if (config.command.length === 0) {
      throw new MeetError('recording-unavailable', 'This server records no meetings.', {
        hint: 'Each participant can save what it receives: `meet join --save`.',
      });
    }
    if ((await store.recordings.running(meetingId)) !== undefined) throw running();
  }

  /** @throws MeetError `not-recording` */
  async requireRunning(meetingId: string): Promise<Recording> {
    const recording = await this.#options.store.recordings.running(meetingId);
    if (recording === undefined) {
      throw new MeetError('not-recording', 'The meeting is not being recorded.');
    }
    return recording;
  }

  /** @throws MeetError `recording-running`, `bad-request`, `recorder-failed`, `disk-full`, `no-permission` */
  async start(meeting: Meeting, options: StartRecording): Promise<Recording> {
    const { config, store, live, serverId } = this.#options;
    checkSize(options.size);
    await this.requireStartable(meeting.id);
    if (!(await live.leases.acquire(leaseOf(meeting.id), serverId, LEASE_MS))) throw running();
    const recording = await store.recordings.create({
      meetingId: meeting.id,
      title: meeting.title,
      format: options.format ?? config.format,
      layout: options.layout ?? config.layout,
      access: { scope: options.access ?? config.access, userIds: [] },
      serverId,
      recorder: {
        options,
        pid: null,
        starts: 0,
        read: 0,
        stage: 'record',
        recovering: false,
        diskFull: false,
      },
      wanted: { paused: false, pin: options.pin ?? null, stopAt: null },
    });
    const supervisor = this.#supervise(recording);
    try {
      await makeFolder(config.dir, recording.id);
      await supervisor.start();
      return recording;
    } catch (cause) {
      await supervisor.close();
      const error = MeetError.from(cause);
      const failed = { status: 'failed', error: error.message, endedAt: Date.now() } as const;
      const stored = await store.recordings.update(recording.id, failed);
      if (stored !== undefined) await this.#changed(stored, ['failed']);
      this.#forget(recording);
      throw error;
    }
  }

  async change({ id }: Recording, { layout, pin, paused }: ChangeRecording): Promise<void> {
    await this.#want(id, (recording) => ({
      layout: layout ?? recording.layout,
      wanted: {
        ...recording.wanted,
        ...(pin === undefined ? {} : { pin }),
        ...(paused === undefined ? {} : { paused }),
      },
    }));
  }

  /** The recorder ends by itself; `recording` is `null` for everybody once it has. */
  async stop({ id }: Recording): Promise<void> {
    await this.#want(id, ({ wanted }) => ({
      wanted: { ...wanted, stopAt: wanted.stopAt ?? Date.now() },
    }));
  }

  /** The meeting is to be recorded and somebody is in it; what goes wrong is for the log. */
  autoStart(meeting: Meeting): void {
    if (this.#options.config.command.length === 0 || this.#closed) return;
    this.start(meeting, {}).catch((error: unknown) => {
      if (MeetError.from(error).code === 'recording-running') return;
      this.#options.logger.error({ err: error, meetingId: meeting.id }, 'A meeting is not recorded');
    });
  }

  /** Somebody is in the meeting who is not a recorder. `baseUrl` is the server's URL as they reach it. */
  occupied(meeting: Meeting, baseUrl: string): void {
    clearTimeout(this.#deserted.get(meeting.id));
    this.#deserted.delete(meeting.id);
    this.#options.messenger.reachedBy(meeting.id, baseUrl);
    if (meeting.recording) this.autoStart(meeting);
  }

  /** Nobody is in the meeting but recorders. */
  deserted(meetingId: string): void {
    clearTimeout(this.#deserted.get(meetingId));
    const timer = setTimeout(() => {
      this.#deserted.delete(meetingId);
      this.#stopQuietly(meetingId);
    }, this.#options.config.emptyMs);
    timer.unref();
    this.#deserted.set(meetingId, timer);
  }

  /** The meeting is over. */
  meetingEnded(meetingId: string): void {
    clearTimeout(this.#deserted.get(meetingId));
    this.#deserted.delete(meetingId);
    this.#stopQuietly(meetingId);
  }

  /** Takes up the recordings of this server that were not finished when it went down. */
  async restore(): Promise<void> {
    const { store, live, serverId } = this.#options;
    this.#leases = setInterval(() => this.#renewLeases(), LEASE_MS / 3);
    for (const recording of await store.recordings.listByStatus('recording', 'processing')) {
      if (recording.serverId !== serverId || recording.recorder === null) continue;
      if (recording.status === 'recording') {
        await live.leases.acquire(leaseOf(recording.meetingId), serverId, LEASE_MS);
        // Whoever comes back is told by the full state.
        const text = JSON.stringify(liveRecording(recording));
        this.#told.set(recording.meetingId, { id: recording.id, text });
      }
      this.#supervise(recording).resume();
    }
  }

  /** Lets the recorders go on by themselves: they outlive the server. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#leases);
    for (const timer of this.#deserted.values()) clearTimeout(timer);
    this.#deserted.clear();
    await Promise.all([...this.#supervisors.values()].map((supervisor) => supervisor.close()));
    this.#supervisors.clear();
  }

  #supervise(recording: Recording): Supervisor {
    const { config, store, objects, logger } = this.#options;
    const supervisor = new Supervisor({
      ...{ recording, config, store, objects },
      call: (current) => this.#call(current),
      onChange: (current, news) => this.#changed(current, news),
      onEnd: () => this.#forget(recording),
      logger: logger.child({ recordingId: recording.id, meetingId: recording.meetingId }),
    });
    this.#supervisors.set(recording.id, supervisor);
    return supervisor;
  }

  async #call(recording: Recording): Promise<RecorderCall> {
    const { config, tokens, localUrl, objectsUrl } = this.#options;
    const { id: recordingId, meetingId } = recording;
    if (recording.recorder?.stage === 'process') return processCall(recording, config);
    const { token } = await tokens.issueRecorder({ recordingId, meetingId });
    const meetingUrl = `${localUrl()}/meetings/${meetingId}`;
    return recordCall(recording, config, { meetingUrl, token, uploadTo: uploadUrl(objectsUrl) });
  }

  /** Writes down what is wanted, and has it done. */
  async #want(id: string, patch: (recording: Recording) => Partial<Recording>): Promise<void> {
    const { store } = this.#options;
    const current = await store.recordings.get(id);
    const changed = current && (await store.recordings.update(id, patch(current)));
    if (changed === undefined) return;
    this.#tell(changed);
    // Another server's supervisor sees it with its next look.
    this.#supervisors.get(id)?.look();
  }

  async #changed(recording: Recording, news: readonly RecordingNews[]): Promise<void> {
    this.#tell(recording);
    if (news.length > 0) await this.#options.messenger.tell(recording, news);
  }

  /** Tells everybody in the meeting, where it is another than before. */
  #tell(recording: Recording): void {
    const { meetingId, id } = recording;
    const live = liveRecording(recording);
    const text = JSON.stringify(live);
    const before = this.#told.get(meetingId);
    // That of another server, which tells of its end.
    if (!this.#supervisors.has(id)) {
      if (live !== null) this.#options.signals.send(meetingId, { type: 'recording', recording: live });
      return;
    }
    if (live === null) {
      // The end of one says nothing of the next one, which may have begun.
      if (before?.id !== id) return;
      this.#told.delete(meetingId);
      this.#release(meetingId);
    } else {
      if (before?.text === text) return;
      this.#told.set(meetingId, { id, text });
    }
    this.#options.signals.send(meetingId, { type: 'recording', recording: live });
  }

  #forget({ id, meetingId }: Recording): void {
    this.#supervisors.delete(id);
    if (this.#told.get(meetingId)?.id === id) this.#told.delete(meetingId);
    if (!this.#told.has(meetingId)) this.#release(meetingId);
  }

  #release(meetingId: string): void {
    const { live, serverId, logger } = this.#options;
    live.leases.release(leaseOf(meetingId), serverId).catch((error: unknown) => {
      logger.warn({ err: error, meetingId }, 'The lease of a recording was not given up');
    });
  }

  #renewLeases(): void {
    const { live, serverId, logger } = this.#options;
    for (const meetingId of this.#told.keys()) {
      live.leases.acquire(leaseOf(meetingId), serverId, LEASE_MS).catch((error: unknown) => {
        logger.warn({ err: error, meetingId }, 'The lease of a recording was not renewed');
      });
    }
  }

  #stopQuietly(meetingId: string): void {
    const { store, logger } = this.#options;
    (async () => {
      const recording = await store.recordings.running(meetingId);
      if (recording !== undefined) await this.stop(recording);
    })().catch((error: unknown) => {
      logger.error({ err: error, meetingId }, 'A recording was not stopped');
    });
  }
}

const running = () => new MeetError('recording-running', 'The meeting is being recorded already.');

async function makeFolder(dir: string, id: string): Promise<void> {
  try {
    await mkdir(join(dir, id), { recursive: true, mode: 0o750 });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'ENOSPC' || code === 'EDQUOT')
      throw new MeetError('disk-full', 'There is no space left for the recording.', { cause });
    throw new MeetError('no-permission', `The recording's folder cannot be made (${code}).`, { cause });
  }
}
