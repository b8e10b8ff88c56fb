/** A recorder in a meeting: what it receives goes to the recording's folder, whatever else is made of it. */
import { EventEmitter } from 'node:events';
import { joinMeeting } from '../../client/join.ts';
import type { MeetingClient } from '../../client/meeting.ts';
import type { RemoteTrack } from '../../client/peer/remote-track.ts';
import type { JoinOptions, ReceivedFrame } from '../../client/types.ts';
import { MeetError } from '../../protocol/errors.ts';
import type { RecordingFolder } from '../folder/index.ts';
import { SenderTime, TrackStore } from '../tracks/index.ts';
import type { LayoutName, RecordingEvent } from '../types.ts';
import { type Ending, EndWatch } from './end-watch.ts';
import { MeetingLog } from './meeting-log.ts';
import { peopleOf } from './people.ts';

export interface SessionOptions {
  readonly folder: RecordingFolder;
  /** When the recorder that died was last heard of, where this run goes on with its recording. */
  readonly diedAt?: number | undefined;
  readonly join: Omit<JoinOptions, 'source' | 'receive' | 'allAudio' | 'view'>;
  /** No pictures. */
  readonly audioOnly?: boolean;
  /** Ends it so long after the recording has begun, milliseconds. */
  readonly durationMs?: number | undefined;
  /** Ends it when nobody has been there for so long, milliseconds. */
  readonly untilEmptyMs?: number | undefined;
  /** Gives up when nobody has come by then, on `performance.now()`'s clock. */
  readonly waitUntilMs?: number | undefined;
}

interface SessionEvents {
  /** The recording has begun: somebody is there. Time 0 of the output, on the recorder's clock. */
  started: [startedAt: number];
  event: [event: RecordingEvent];
  track: [track: RemoteTrack];
  'track-ended': [track: RemoteTrack];
  /** A frame, in a pause too, and when it was captured, on the recorder's clock. */
  frame: [track: RemoteTrack, frame: ReceivedFrame, capturedAt: number];
  /** From a wall time on. */
  paused: [paused: boolean, at: number];
  layout: [layout: LayoutName, pin: string | undefined];
  'disk-full': [error: MeetError];
  'disk-ok': [];
}

export class RecorderSession extends EventEmitter<SessionEvents> {
  readonly client: MeetingClient;
  readonly folder: RecordingFolder;
  readonly #store: TrackStore;
  readonly #watch: EndWatch;
  /** Clocks by participant. */
  readonly #clocks = new Map<string, SenderTime>();
  #layout: LayoutName;
  #pin: string | undefined;
  #paused: boolean;
  #startedAt: number | undefined;
  #closed: Promise<void> | undefined;

  private constructor(options: SessionOptions, client: MeetingClient, store: TrackStore) {
    super();
    const { folder } = options;
    this.client = client;
    this.folder = folder;
    this.#store = store;
    this.#layout = folder.recording.options.layout;
    this.#pin = folder.recording.options.pin;
    this.#paused = folder.recording.state === 'paused';
    this.#startedAt = folder.recording.startedAt;
    this.#watch = new EndWatch({
      ...options,
      client,
      startedAt: () => this.#startedAt,
      now: () => store.now(),
    });
  }

  /**
   * Joins and begins to record as soon as somebody is there. Joining that fails leaves the folder as it was.
   *
   * @throws MeetError as `joinMeeting`, `disk-full`, `no-permission`
   */
  static async join(options: SessionOptions): Promise<RecorderSession> {
    const { folder, audioOnly, diedAt } = options;
    const store = await TrackStore.open(folder.path);
    try {
      const client = await joinMeeting({
        ...options.join,
        receive: audioOnly ? 'audio' : 'all',
        allAudio: true,
      });
      const session = new RecorderSession(options, client, store);
      if (diedAt !== undefined && session.#startedAt !== undefined) await session.#goOn(diedAt);
      session.#listen();
      session.#start();
      return session;
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  /** Milliseconds since the epoch on the recorder's clock. */
  now(): number {
    return this.#store.now();
  }

  get startedAt(): number | undefined {
    return this.#startedAt;
  }

  get paused(): boolean {
    return this.#paused;
  }

  get layout(): LayoutName {
    return this.#layout;
  }

  /** Name or id of who is large in a spotlight. */
  get pin(): string | undefined {
    return this.#pin;
  }

  get diskFull(): boolean {
    return this.#store.diskFull;
  }

  /** Resolves with why it is over; by then nothing more is received. */
  get ended(): Promise<Ending> {
    return this.#watch.ended;
  }

  /** Ends the recording. */
  stop(reason = 'stopped'): void {
    this.#watch.end({ reason });
  }

  /** Changes the layout from now on; `null` takes the pin away, `undefined` leaves it. */
  setLayout(layout: LayoutName, pin?: string | null): void {
    const wanted = pin === undefined ? this.#pin : (pin ?? undefined);
    if (layout === this.#layout && wanted === this.#pin) return;
    this.#layout = layout;
    this.#pin = wanted;
    const pinned = wanted === undefined ? {} : { pin: wanted };
    this.#append({ type: 'layout', at: this.now(), layout, ...pinned });
    this.emit('layout', layout, wanted);
    // A run that goes on after this one has died goes on with it.
    const { pin: _, ...options } = this.folder.recording.options;
    void this.#save(() => this.folder.update({ options: { ...options, layout, ...pinned } }));
  }

  /** From now on nothing is kept, or it is again. */
  async setPaused(paused: boolean): Promise<void> {
    if (paused === this.#paused || this.#startedAt === undefined || this.#closed !== undefined) return;
    this.#paused = paused;
    const at = this.now();
    const kept = this.#store.setPaused(paused);
    this.#append({ type: paused ? 'pause' : 'resume', at });
    this.emit('paused', paused, at);
    await kept;
    await this.#save(async () => {
      if (paused) await this.folder.beginPause(at);
      else await this.folder.endPause(at);
      await this.folder.become(paused ? 'paused' : 'recording');
    });
  }

  /** Leaves and finishes all files; the recording is `stopped` then, or `failed` where it never began. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  #append(event: RecordingEvent): void {
    this.#store.append(event);
  }

  #listen(): void {
    const { client } = this;
    this.#store.on('event', (event) => this.emit('event', event));
    this.#store.on('disk-full', (error) => this.emit('disk-full', error));
    this.#store.on('disk-ok', () => {
      this.emit('disk-ok');
      // What changed meanwhile could not be written.
      void this.#save(() => this.folder.update({}));
    });
    client.on('track', (track) => this.#onTrack(track));
    client.on('participant', ({ id, state }) => {
      if (state === 'left') this.#clocks.delete(id);
      this.#start();
    });
    for (const track of client.tracks) this.#onTrack(track);
    client.on('recording', () => void this.#followServer());
  }

  /** A recorder that the server has found again after a restart of its own hears of changes by signaling only. */
  async #followServer(): Promise<void> {
    const wanted = this.client.recording.state;
    if (wanted?.id !== this.folder.id) return;
    this.setLayout(wanted.layout, wanted.pin ?? null);
    if (wanted.state === 'stopping') this.stop();
    else if (wanted.state === 'paused') await this.setPaused(true);
    else if (wanted.state === 'recording') await this.setPaused(false);
  }

  /** Takes up what a recorder that died has begun. */
  async #goOn(diedAt: number): Promise<void> {
    const at = this.now();
    this.#append({ type: 'gap', at, sinceMs: diedAt });
    await this.#save(async () => {
      await this.folder.beginPause(diedAt, 'recorder-away');
      if (!this.#paused) await this.folder.endPause(at);
    });
    if (this.#paused) await this.#store.setPaused(true);
    this.#begun(this.#startedAt!);
  }

  /** Begins the recording when somebody is there. */
  #start(): void {
    if (this.#startedAt !== undefined || this.#closed !== undefined) return;
    if (this.client.waiting || peopleOf(this.client).length === 0) return;
    const at = this.now();
    this.#startedAt = at;
    const { id: meetingId, title } = this.client.meeting;
    this.#append({ type: 'start', at, meetingId, title: title ?? '' });
    void this.#save(() => this.folder.become('recording', { startedAt: at, title }));
    this.#begun(at);
  }

  #begun(startedAt: number): void {
    const pinned = this.#pin === undefined ? {} : { pin: this.#pin };
    this.#append({ type: 'layout', at: this.now(), layout: this.#layout, ...pinned });
    new MeetingLog({
      client: this.client,
      append: (event) => this.#append(event),
      now: () => this.now(),
    });
    this.#watch.look();
    this.emit('started', startedAt);
  }

  #onTrack(track: RemoteTrack): void {
    const name = this.client.participants.get(track.participantId)?.name ?? track.participantId;
    const writer = this.#store.add(track, name, () => track.requestKeyFrame());
    const clock = this.#clocks.get(track.participantId) ?? new SenderTime();
    this.#clocks.set(track.participantId, clock);
    track.on('frame', (frame) => {
      const capturedAt = clock.capturedAt(track.id, frame);
      writer.write(frame, capturedAt);
      this.emit('frame', track, frame, capturedAt);
    });
    track.once('ended', () => {
      clock.ended(track.id);
      void this.#store.end(writer);
      this.emit('track-ended', track);
    });
    this.emit('track', track);
  }

  async #close(): Promise<void> {
    const { reason } = await this.#watch.ended;
    await this.client.leave();
    const at = this.now();
    this.#append({ type: 'stop', at, reason });
    await this.#store.close();
    await this.#save(async () => {
      await this.folder.endPause(at);
      if (this.#startedAt !== undefined) await this.folder.become('stopped', { stoppedAt: at });
      else await this.folder.become('failed', { stoppedAt: at, error: 'Nobody came.' });
    });
  }

  /** A state that a full disk has no room for is written when there is room again. */
  async #save(change: () => Promise<void>): Promise<void> {
    try {
      await change();
    } catch (cause) {
      const error = MeetError.from(cause);
      if (error.code !== 'disk-full' && error.code !== 'no-permission')
        this.#watch.end({ reason: 'failed', error });
    }
  }
}
