/** One participant of a run, from its join request to its end. */
import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { requestJoin, resolveMeeting } from '../../client/api.ts';
import { Chat } from '../../client/chat/chat.ts';
import { Health } from '../../client/health.ts';
import { Publisher } from '../../client/peer/publisher.ts';
import { Publishing } from '../../client/peer/publishing.ts';
import { Subscribing } from '../../client/peer/subscribing.ts';
import { SignalingClient } from '../../client/signaling/client.ts';
import type { TransportOptions } from '../../client/transport/types.ts';
import type { EncodedSource } from '../../media/types.ts';
import { MeetError } from '../../protocol/errors.ts';
import type { IceServer } from '../../protocol/model.ts';
import type { StateUpdate, SubscribedTrack } from '../../protocol/signaling.ts';
import type { RunClock } from '../clock.ts';
import type { Tally } from '../measure/tally.ts';
import { Audience, type BotView } from './audience.ts';
import { BotConnection } from './connection.ts';
import { BotFigures, type BotRecord } from './figures.ts';
import { Watch } from './watch.ts';

/** What bots write begins with it; after it comes the run's time. */
const MESSAGE_PREFIX = 'meet load at ';
/** Longest wait for the server's word on our leaving, milliseconds. */
const LEAVE_PATIENCE_MS = 2_000;
/** Longest wait for a media connection after which a join counts as failed, milliseconds. */
const JOIN_PATIENCE_MS = 30_000;
/** A server that is away for longer than this ends the bot, milliseconds. */
const RECONNECT_TIMEOUT_MS = 120_000;

export interface BotOptions {
  readonly id: number;
  readonly meeting: string;
  readonly password?: string;
  readonly name: string;
  readonly view: BotView;
  /** What it sends; nothing when absent. The bot closes it. */
  readonly source?: EncodedSource;
  readonly checkOneIn: number;
  readonly clock: RunClock;
  readonly tally: Tally;
}

interface BotEvents {
  /** Media is connected, or there is none to be had yet. */
  joined: [];
  'first-media': [];
  /** Media or signaling broke, and is back. */
  down: [reason: string];
  up: [ms: number];
  /** It is over without our having left. */
  dropped: [error: MeetError];
}

export class Bot extends EventEmitter<BotEvents> {
  readonly #options: BotOptions;
  readonly #figures: BotFigures;
  readonly #health = new Health();
  readonly #leaving = new AbortController();
  readonly #watches = new Map<string, Watch>();
  readonly #connected = Promise.withResolvers<{ iceMs: number; dtlsMs: number }>();
  #signaling: SignalingClient | undefined;
  #chat: Chat | undefined;
  #publisher: Publisher | undefined;
  #publishing: Publishing | undefined;
  #subscribing: Subscribing<BotConnection> | undefined;
  #audience: Audience | undefined;
  #iceServers: readonly IceServer[] = [];
  #selfId = '';
  #beganMs = 0;
  #mediaStarted = false;
  #sent = { packets: 0, bytes: 0 };
  #closed = false;

  constructor(options: BotOptions) {
    super();
    this.#options = options;
    this.#figures = new BotFigures(options.id, options.source !== undefined, options.tally);
    this.#connected.promise.catch(() => {});
  }

  get id(): number {
    return this.#options.id;
  }

  get record(): BotRecord {
    return this.#figures.record;
  }

  /**
   * Joins; resolves once its media are connected, or at once where nobody sends anything yet.
   *
   * @throws MeetError what the server refuses with, or what keeps it from being reached
   */
  async join(): Promise<void> {
    const figures = this.#figures;
    figures.add('joinsStarted');
    this.#beganMs = performance.now();
    const patience = setTimeout(() => {
      const message = `No media connection within ${JOIN_PATIENCE_MS / 1000} s.`;
      this.#connected.reject(new MeetError('connection-failed', message));
    }, JOIN_PATIENCE_MS);
    try {
      const { api, signaling } = await this.#enter();
      const { iceMs, dtlsMs } = await this.#connected.promise;
      const ms = performance.now() - this.#beganMs;
      figures.record.joinMs = ms;
      figures.add('joinsDone');
      figures.time('join', ms);
      figures.time('api', api);
      figures.time('signaling', signaling);
      if (dtlsMs > 0) {
        figures.time('ice', iceMs);
        figures.time('dtls', dtlsMs);
      }
      this.emit('joined');
    } catch (cause) {
      const error = MeetError.from(cause);
      if (!this.#leaving.signal.aborted) {
        figures.add('joinsFailed');
        figures.record.error = error.message;
      }
      await this.#close();
      throw error;
    } finally {
      clearTimeout(patience);
    }
  }

  async #enter(): Promise<{ api: number; signaling: number }> {
    const { meeting, password, name, source, clock } = this.#options;
    const { signal } = this.#leaving;
    const reply = await requestJoin(
      resolveMeeting(meeting),
      { displayName: name, ...(password === undefined ? {} : { password }) },
      { signal },
    );
    const api = performance.now() - this.#beganMs;
    const { participant, signalingUrl: url, token } = reply;
    this.#iceServers = reply.iceServers;
    this.#selfId = participant.id;
    this.#audience = new Audience(participant.id, this.#options.view);
    const client = new SignalingClient({ url, token, reconnectTimeoutMs: RECONNECT_TIMEOUT_MS });
    this.#signaling = client;
    this.#chat = new Chat(client);
    const transport = () => ({ iceServers: this.#iceServers });
    const common = { signaling: client, health: this.#health, cname: participant.id, transport };
    const create = (cname: string, options: TransportOptions) => this.#createConnection(cname, options);
    const { audio, video } = this.#options.view;
    this.#subscribing = new Subscribing({ ...common, create, audio, video });
    if (source) {
      this.#publisher = new Publisher({ own: source }, { clock, constantRate: true });
      this.#publishing = new Publishing({
        ...common,
        publisher: this.#publisher,
        reconnectTimeoutMs: RECONNECT_TIMEOUT_MS,
      });
    }
    this.#listen(client);
    await client.connect(signal);
    const signaling = performance.now() - this.#beganMs - api;
    this.#startMedia(false);
    // Nothing will come before somebody sends: the join is done.
    if (!source && !(this.#audience.othersSend && (audio || video)))
      this.#connected.resolve({ iceMs: 0, dtlsMs: 0 });
    return { api, signaling };
  }

  #listen(signaling: SignalingClient): void {
    signaling.on('state-update', (update) => this.#onStateUpdate(update));
    this.#chat?.on('message', ({ senderId, content }) => this.#hear(senderId, content));
    signaling.on('down', ({ reason }) => this.#health.broke('signaling', reason));
    signaling.on('up', ({ resumed }) => {
      this.#health.mended('signaling');
      if (!resumed && this.#mediaStarted) this.#rebuild('the server started over');
    });
    signaling.on('end', ({ error }) => void this.#onEnd(error));
    this.#health.on('reconnecting', ({ reason, attempt }) => {
      if (attempt === 1) this.emit('down', reason);
    });
    this.#health.on('reconnected', ({ ms }) => {
      this.#figures.add('reconnects');
      this.#figures.time('reconnect', ms);
      this.emit('up', ms);
    });
    this.#publishing?.on('failed', (error) => void this.#onEnd(error));
    const first = this.#publishing ?? this.#subscribing;
    first?.once('connected', (timings) => this.#connected.resolve(timings));
  }

  #createConnection(cname: string, transport: TransportOptions): Promise<BotConnection> {
    const { clock, checkOneIn } = this.#options;
    return BotConnection.create(transport, {
      cname,
      clock,
      checkOneIn,
      figures: this.#figures,
      watch: (track, clockRate) => this.#watch(track, clockRate),
      ended: (track) => this.#endWatch(track),
    });
  }

  #watch({ trackId, kind }: SubscribedTrack, clockRate: number): Watch {
    // A connection made anew has new ids of tracks where the server was made anew.
    const key = this.#audience?.watchKey(trackId, kind) ?? trackId;
    let watch = this.#watches.get(key);
    if (watch === undefined) {
      watch = new Watch({ kind, clockRate, figures: this.#figures, onFirst: () => this.#onFirst(kind) });
      this.#watches.set(key, watch);
    }
    return watch;
  }

  /** A viewer stays for as long as there is somebody who is to be seen. */
  #endWatch({ trackId, kind }: SubscribedTrack): void {
    const key = this.#audience?.watchKey(trackId, kind) ?? trackId;
    const signalingWorks = !this.#health.isBroken('signaling') && !this.#health.isBroken('subscribe');
    if (!signalingWorks || this.#closed) return;
    this.#watches.get(key)?.end(this.#options.clock.now(), false);
    this.#watches.delete(key);
  }

  #onFirst(kind: 'audio' | 'video'): void {
    const { record } = this.#figures;
    if (record.firstMediaMs !== undefined) return;
    // Where pictures are to be seen, sound alone is not what one has joined for.
    if (kind === 'audio' && this.#options.view.video && this.#audience?.othersShow) return;
    record.firstMediaMs = performance.now() - this.#beganMs;
    this.#figures.time('first_media', record.firstMediaMs);
    this.emit('first-media');
  }

  #onStateUpdate(update: StateUpdate): void {
    const audience = this.#audience!;
    if (update.iceServers) this.#iceServers = update.iceServers;
    audience.apply(update);
    if (update.wantedLayers) this.#publishing?.setWantedLayers(update.wantedLayers);
    if (update.videos) {
      const now = this.#options.clock.now();
      for (const { trackId, layer } of update.videos) {
        const key = audience.watchKey(trackId, 'video');
        this.#watches.get(key)?.setHeldBack(layer < 0, now);
      }
    }
    if (update.mediaReset) this.#rebuild(update.mediaReset.reason);
    else if (update.self?.resumed !== false && this.#mediaStarted && audience.changed) this.#subscribe(false);
  }

  #rebuild(reason: string): void {
    if (this.#publishing) this.#health.broke('publish', reason);
    if (this.#subscribing?.connection) this.#health.broke('subscribe', reason);
    this.#startMedia(true);
  }

  #startMedia(reset: boolean): void {
    void this.#publishing?.connect();
    this.#subscribe(reset);
  }

  #subscribe(reset: boolean): void {
    this.#mediaStarted = true;
    const subscribing = this.#subscribing!;
    subscribing.choose(this.#audience!.videos());
    // Refused or lost subscriptions start over with the next full update.
    subscribing.subscribe(reset).catch(() => {});
  }

  /** Writes a message to everybody in the meeting; the time in it tells the others how long it took. */
  async say(): Promise<void> {
    const { clock } = this.#options;
    try {
      await this.#chat?.send(`${MESSAGE_PREFIX}${clock.now()}`);
      this.#figures.add('chatSent');
    } catch {
      if (!this.#closed) this.#figures.add('chatFailed');
    }
  }

  #hear(senderId: string, content: string): void {
    const sentMs = content.startsWith(MESSAGE_PREFIX)
      ? Number(content.slice(MESSAGE_PREFIX.length))
      : Number.NaN;
    if (Number.isNaN(sentMs) || senderId === this.#selfId) return;
    this.#figures.add('chatReceived');
    this.#figures.time('chat_latency', this.#options.clock.now() - sentMs);
  }

  /** Reads what is not counted packet by packet; once a second. */
  sample(): void {
    const { clock } = this.#options;
    const now = clock.now();
    for (const watch of this.#watches.values()) watch.count(now);
    for (const stream of this.#subscribing?.connection?.streams ?? []) {
      const jitter = stream.jitterMs(now);
      if (jitter !== undefined) this.#figures.time('jitter', jitter);
    }
    this.#countSent();
  }

  #countSent(): void {
    const stats = this.#publishing?.connection?.stats();
    if (stats === undefined) return;
    const packets = stats.reduce((sum, track) => sum + track.packets, 0);
    const bytes = stats.reduce((sum, track) => sum + track.bytes, 0);
    // A connection made anew counts from zero.
    const before = packets < this.#sent.packets ? { packets: 0, bytes: 0 } : this.#sent;
    this.#figures.add('sentPackets', packets - before.packets);
    this.#figures.add('sentBytes', bytes - before.bytes);
    this.#sent = { packets, bytes };
  }

  async #onEnd(error: MeetError): Promise<void> {
    if (this.#closed) return;
    const wasJoined = this.#figures.record.joinMs !== undefined;
    this.#connected.reject(error);
    if (!wasJoined) return;
    this.#figures.add('dropped');
    this.#figures.record.error = error.message;
    await this.#close();
    this.emit('dropped', error);
  }

  /** Leaves; gives what it has measured. */
  async leave(): Promise<BotRecord> {
    if (this.#closed) return this.record;
    this.#leaving.abort();
    const patience = new AbortController();
    this.sample();
    await Promise.race([
      this.#signaling?.request('leave', {}).catch(() => {}),
      delay(LEAVE_PATIENCE_MS, undefined, { signal: patience.signal }).catch(() => {}),
    ]);
    patience.abort();
    if (this.#figures.record.joinMs !== undefined) this.#figures.add('left');
    await this.#close();
    return this.record;
  }

  async #close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    // Whoever still waits for the join need not wait for its patience to end.
    this.#connected.reject(new MeetError('connection-failed', 'The bot has left.'));
    const now = this.#options.clock.now();
    const away = this.#health.isBroken('signaling') || this.#health.isBroken('subscribe');
    for (const watch of this.#watches.values()) watch.end(now, away);
    this.#countSent();
    this.#watches.clear();
    this.#chat?.close();
    this.#signaling?.close();
    this.#publishing?.close();
    this.#subscribing?.close();
    await this.#publisher?.close();
    if (this.#publisher === undefined) await this.#options.source?.close();
  }
}
