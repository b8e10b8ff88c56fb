import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Action } from '../protocol/actions.ts';
import { MeetError } from '../protocol/errors.ts';
import type { IceServer, MediaSource, MeetingInfo, ParticipantInfo } from '../protocol/model.ts';
import type { JoinReply } from '../protocol/rest.ts';
import {
  type AudioSlot,
  CLOSE,
  MAX_VIDEO_REQUESTS,
  type SentVideo,
  type StateUpdate,
  type VideoRequest,
} from '../protocol/signaling.ts';
import { resolveMeeting } from './api.ts';
import { Chat } from './chat/chat.ts';
import { Files } from './files/files.ts';
import { Health } from './health.ts';
import { HostControls } from './host-controls.ts';
import { Publisher } from './peer/publisher.ts';
import { Publishing } from './peer/publishing.ts';
import type { RemoteTrack } from './peer/remote-track.ts';
import { SubscribeConnection } from './peer/subscribe-connection.ts';
import { Subscribing } from './peer/subscribing.ts';
import { Reception } from './reception.ts';
import { RecordingControl } from './recording.ts';
import { Roster } from './roster.ts';
import { SignalingClient, type SignalingEnd } from './signaling/client.ts';
import type { JoinOptions, JoinTimings, LeftReason, MeetingEvents, MeetingStats } from './types.ts';
import { layOut, type View } from './view.ts';

/** Longest wait for the server's word on our leaving. */
const LEAVE_PATIENCE_MS = 1_000;
const DEFAULT_RECONNECT_TIMEOUT_MS = 60_000;

/** A participant in a meeting; made by `joinMeeting`. */
export class MeetingClient extends EventEmitter<MeetingEvents<RemoteTrack>> {
  readonly #options: JoinOptions;
  readonly #join: JoinReply;
  readonly #signaling: SignalingClient;
  readonly #health = new Health();
  readonly #roster = new Roster();
  readonly #reception = new Reception();
  readonly #publisher: Publisher | undefined;
  readonly #publishing: Publishing | undefined;
  readonly #subscribing: Subscribing<SubscribeConnection>;
  /** Sends and looks up chat messages; those that come are `message` events. */
  readonly chat: Chat;
  /** Files of the chat. */
  readonly files: Files;
  /** What hosts do; the server refuses it to everybody else. */
  readonly host: HostControls;
  /** The recording on the server: whether there is one, and what hosts do about it. */
  readonly recording: RecordingControl;
  readonly #connected = Promise.withResolvers<JoinTimings>();
  readonly #timings: { api: number; signaling: number };
  #meeting: MeetingInfo;
  #iceServers: readonly IceServer[];
  #view: View | undefined;
  /** Exactly these videos, whatever the view. */
  #videos: readonly VideoRequest[] | undefined;
  #pages = 1;
  /** Something was asked for: changes of the view are worth a message of their own. */
  #mediaStarted = false;
  /** Tracks that are muted because their device is gone. */
  readonly #mutedForDevice = new Set<MediaSource>();
  #left: Promise<void> | undefined;
  #lastStats: MeetingStats | undefined;

  /** @internal Use `joinMeeting`. */
  constructor(options: JoinOptions, join: JoinReply, apiMs: number) {
    super();
    this.#options = options;
    this.#join = join;
    this.#meeting = join.meeting;
    this.#iceServers = join.iceServers;
    this.#view = options.view;
    this.#timings = { api: apiMs, signaling: 0 };
    const reconnectTimeoutMs = options.reconnectTimeoutMs ?? DEFAULT_RECONNECT_TIMEOUT_MS;
    this.#signaling = new SignalingClient({
      url: join.signalingUrl,
      token: join.token,
      reconnectTimeoutMs,
      lastMessage: () => this.chat.last,
    });
    this.chat = new Chat(this.#signaling);
    const { server, meetingId } = resolveMeeting(options.meeting, options.server);
    const token = () => this.#signaling.token;
    this.files = new Files({ server, meetingId, token, chat: this.chat });
    this.recording = new RecordingControl({ server, meetingId, token });
    this.host = new HostControls((action) => this.act(action));
    const common = {
      signaling: this.#signaling,
      health: this.#health,
      cname: join.participant.id,
      transport: () => ({
        iceServers: this.#iceServers,
        ...(options.iceTransportPolicy ? { iceTransportPolicy: options.iceTransportPolicy } : {}),
      }),
    };
    const receive = options.receive ?? 'all';
    this.#subscribing = new Subscribing({
      ...common,
      create: SubscribeConnection.create,
      audio: receive !== 'none',
      video: receive === 'all',
      allAudio: options.allAudio === true,
    });
    if (options.source || options.screen) {
      this.#publisher = new Publisher({ own: options.source, screen: options.screen });
      this.#publishing = new Publishing({ ...common, publisher: this.#publisher, reconnectTimeoutMs });
    }
    // Whoever does not wait for the connection learns of its failure from `left`.
    this.#connected.promise.catch(() => {});
    this.#listen();
  }

  get meeting(): MeetingInfo {
    return this.#meeting;
  }

  /** This participant, as the server sees it. */
  get self(): ParticipantInfo {
    return this.#roster.participants.get(this.#join.participant.id) ?? this.#join.participant;
  }

  /** In the waiting room: nothing is sent or received until a host lets us in. */
  get waiting(): boolean {
    return this.self.state === 'waiting';
  }

  /** Everybody in the meeting by id, this participant included. */
  get participants(): ReadonlyMap<string, ParticipantInfo> {
    return this.#roster.participants;
  }

  /** The tracks that are being received. */
  get tracks(): readonly RemoteTrack[] {
    return this.#subscribing.connection?.tracks ?? [];
  }

  /** Who speaks: ids, the active speaker first, at most four. */
  get speakers(): readonly string[] {
    return this.#reception.speakers;
  }

  /** Ids of those whose hand is raised, the first to raise it first. */
  get raisedHands(): readonly string[] {
    return [...this.#roster.participants.values()]
      .flatMap(({ id, hand }) => (hand === null ? [] : [{ id, hand }]))
      .sort((a, b) => a.hand - b.hand)
      .map(({ id }) => id);
  }

  /** The bandwidth to this participant carries audio only. */
  get audioOnly(): boolean {
    return this.#reception.audioOnly;
  }

  /** What the server sends of each video and why, by track id. */
  get videos(): ReadonlyMap<string, SentVideo> {
    return this.#reception.videos;
  }

  /** Who is heard in the audio slots of a large meeting; empty in a small one. */
  get audioSlots(): readonly AudioSlot[] {
    return this.#reception.slots;
  }

  get view(): View | undefined {
    return this.#view;
  }

  /** Pages of the view, at least 1. */
  get pages(): number {
    return this.#pages;
  }

  /** Receives from now on what the view shows, `undefined` for all; costs at most one message. */
  setView(view: View | undefined): void {
    this.#view = view;
    this.#videos = undefined;
    if (this.#applyView() && this.#mediaStarted) this.#subscribe(false);
  }

  /**
   * Receives from now on exactly these videos, the most important first, at most 32: for who lays them out itself.
   * Those that do not exist yet come when they do. The next `setView` ends it.
   */
  setVideos(videos: readonly VideoRequest[]): void {
    this.#videos = videos.slice(0, MAX_VIDEO_REQUESTS);
    if (this.#applyView() && this.#mediaStarted) this.#subscribe(false);
  }

  /** Lays the view out; gives whether other videos are to be asked for. */
  #applyView(): boolean {
    if (this.#videos !== undefined) return this.#subscribing.choose(this.#videos);
    if (this.#view === undefined) {
      this.#pages = 1;
      return this.#subscribing.choose(undefined);
    }
    const { videos, pages } = layOut(this.#view, {
      selfId: this.#join.participant.id,
      participants: this.#roster.participants.values(),
      speakers: this.speakers,
      raisedHands: this.raisedHands,
    });
    this.#pages = pages;
    return this.#subscribing.choose(videos);
  }

  /**
   * Resolves once media flows: when the publish connection is up, or without a source the subscribe connection,
   * or at once when there is nothing to send or receive yet. Rejects when the meeting is over before that.
   */
  whenConnected(): Promise<JoinTimings> {
    return this.#connected.promise;
  }

  /** @internal Opens signaling and starts the media; part of `joinMeeting`. */
  async start(): Promise<void> {
    const began = performance.now();
    await this.#signaling.connect(this.#options.signal);
    this.#timings.signaling = performance.now() - began;
    if (!this.waiting) this.#begin(false);
    this.#options.signal?.addEventListener('abort', () => void this.leave(), { once: true });
  }

  /** The meeting begins for us: at once, or when a host lets us in. */
  #begin(reset: boolean): void {
    this.#startMedia(reset);
    const othersSend = [...this.#roster.participants.values()].some(
      (participant) => participant.id !== this.self.id && participant.tracks.length > 0,
    );
    if (!this.#publishing && (this.#options.receive === 'none' || !othersSend))
      this.#onConnected({ iceMs: 0, dtlsMs: 0 });
  }

  #startMedia(reset: boolean): void {
    void this.#publishing?.connect();
    this.#applyView();
    this.#subscribe(reset);
  }

  #subscribe(reset: boolean): void {
    this.#mediaStarted = true;
    // Refused or lost subscriptions start over with the next full update.
    this.#subscribing.subscribe(reset).catch(() => {});
  }

  #listen(): void {
    const forwardTo = this.emit.bind(this);
    this.#health.on('reconnecting', (info) => forwardTo('reconnecting', info));
    this.#health.on('reconnected', (info) => forwardTo('reconnected', info));
    this.#signaling.on('state-update', (update) => this.#onStateUpdate(update));
    this.#signaling.on('down', ({ reason }) => this.#health.broke('signaling', reason));
    this.#signaling.on('up', ({ resumed }) => {
      this.#health.mended('signaling');
      // Whoever still waits has no media to make anew.
      if (!resumed && this.#mediaStarted) this.#rebuild('the server started over');
    });
    this.#signaling.on(
      'end',
      (end) => void this.#finish(reasonOf(end), end.bye === 'ended' ? undefined : end.error),
    );
    this.chat.on('message', (message) => forwardTo('message', message));
    this.#signaling.on('reaction', (reaction) => forwardTo('reaction', reaction));
    this.#signaling.on('unmute-request', (request) => forwardTo('unmute-request', request));
    this.#signaling.on('share-stopped', (by) => forwardTo('share-stopped', by));
    this.#subscribing.on('track', (track) => forwardTo('track', track));
    this.#subscribing.on('track-ended', (track) => forwardTo('track-ended', track));
    this.#publisher?.on('ended', (role) => forwardTo('source-ended', role));
    this.#publisher?.on('failed', (error, role) => forwardTo('source-failed', error, role));
    this.#publisher?.on('available', (source, available) => this.#onAvailable(source, available));
    this.#publishing?.on('refused', (role, error) => forwardTo('source-failed', error, role));
    this.#publishing?.on(
      'failed',
      (error) =>
        // What the server refuses is no matter of the path to it.
        void this.#finish(error.fault === 'caller' ? 'failed' : 'connection-failed', error),
    );
    if (this.#publishing) this.#publishing.once('connected', (timings) => this.#onConnected(timings));
    else this.#subscribing.once('connected', (timings) => this.#onConnected(timings));
  }

  #onConnected({ iceMs, dtlsMs }: { iceMs: number; dtlsMs: number }): void {
    this.#connected.resolve({ ...this.#timings, ice: iceMs, dtls: dtlsMs });
  }

  #onStateUpdate(update: StateUpdate): void {
    const meetingBefore = JSON.stringify(this.#meeting);
    if (update.meeting) this.#meeting = update.meeting;
    if (update.iceServers) this.#iceServers = update.iceServers;
    const waited = this.waiting;
    const reception = this.#reception.apply(update);
    const changed = this.#roster.apply(update);
    if (changed.length > 0) this.#reception.retain(this.#roster.trackIds());
    if (reception.slots.length > 0) this.#subscribing.setSlots(this.#reception.slots);
    if (update.audioLoss !== undefined) this.#publisher?.setAudioLoss(update.audioLoss);
    if (update.wantedLayers) this.#publishing?.setWantedLayers(update.wantedLayers);
    if (JSON.stringify(this.#meeting) !== meetingBefore) this.emit('meeting', this.#meeting);
    if (this.recording.apply(update)) this.emit('recording', this.recording.state);
    for (const participant of changed) this.emit('participant', participant);
    if (reception.speakers) this.emit('speakers', this.speakers);
    if (reception.audioOnly) this.emit('audio-only', this.audioOnly);
    if (reception.videos) this.emit('videos', update.videos ?? []);
    if (reception.slots.length > 0) this.emit('audio-slots', reception.slots);
    if (waited && !this.waiting && update.full) this.#begin(true);
    else if (update.mediaReset) this.#rebuild(update.mediaReset.reason);
    // A server that has started over is asked anew by what follows its full update.
    else if (update.self?.resumed !== false && this.#mediaStarted && this.#applyView())
      this.#subscribe(false);
  }

  /** Both connections are gone on the server: make them anew. */
  #rebuild(reason: string): void {
    if (this.#publishing) this.#health.broke('publish', reason);
    // Mended by the next subscribe offer, which comes only where there is something to receive.
    if (this.#subscribing.connection) this.#health.broke('subscribe', reason);
    this.#startMedia(true);
  }

  /** Whoever muted the track by hand keeps it so when the device comes back. */
  #onAvailable(source: MediaSource, available: boolean): void {
    const muted = this.self.tracks.some((track) => track.source === source && track.muted);
    if (!available && !muted) this.#mutedForDevice.add(source);
    const ours = available ? this.#mutedForDevice.delete(source) : !muted;
    // A track that is not there yet, or refused, is as good as muted.
    if (ours) this.setMuted(source, !available).catch(() => {});
    this.emit('source-available', source, available);
  }

  /** Stops or resumes the forwarding of what this participant sends; the server enforces it. */
  async setMuted(source: MediaSource, muted: boolean): Promise<void> {
    const trackId = this.#publishing?.connection?.trackId(source);
    if (trackId === undefined) throw new MeetError('track-not-found', `No ${source} is being sent.`);
    await this.#signaling.request('state-update', { muted: [{ trackId, muted }] });
  }

  /** Raises this participant's hand, or lowers it. */
  async setHand(raised: boolean): Promise<void> {
    await this.#signaling.request('state-update', { hand: raised });
  }

  /** Shows everyone an emoji for a moment. @throws MeetError `bad-request` for anything but one emoji */
  async react(emoji: string): Promise<void> {
    await this.#signaling.request('reaction', { reaction: emoji });
  }

  /** Does what hosts do; `host` has a function for each. @throws MeetError `forbidden`, `not-found` */
  async act(action: Action): Promise<void> {
    await this.#signaling.request('action', action);
  }

  /** Figures since the beginning; when the meeting is left, the last there were. */
  stats(): MeetingStats {
    if (this.#lastStats !== undefined) return this.#lastStats;
    const { connection } = this.#subscribing;
    return {
      sent: this.#publishing?.connection?.stats() ?? [],
      received: this.tracks.flatMap((track) => {
        const stats = track.stats();
        const { layer, temporalLayer, reason } = this.videos.get(track.id) ?? {};
        if (stats === undefined) return [];
        return [{ ...stats, ...(reason === undefined ? {} : { layer, temporalLayer, reason }) }];
      }),
      estimate: this.#reception.estimate,
      uplinkEstimate: this.#publishing?.connection?.estimate,
      rttMs: this.#publishing?.connection?.rttMs ?? connection?.rttMs,
    };
  }

  /** Leaves the meeting; resolves when all is closed. */
  async leave(): Promise<void> {
    if (this.#left === undefined) {
      const patience = new AbortController();
      await Promise.race([
        this.#signaling.request('leave', {}).catch(() => {}),
        delay(LEAVE_PATIENCE_MS, undefined, { signal: patience.signal }).catch(() => {}),
      ]);
      patience.abort();
    }
    await this.#finish('left');
  }

  #finish(reason: LeftReason, error?: MeetError): Promise<void> {
    this.#left ??= this.#close(reason, error);
    return this.#left;
  }

  async #close(reason: LeftReason, error: MeetError | undefined): Promise<void> {
    this.#connected.reject(
      error ?? new MeetError('connection-failed', 'The meeting was left before media flowed.'),
    );
    this.chat.close();
    this.#lastStats = this.stats();
    this.#signaling.close();
    this.#publishing?.close();
    this.#subscribing.close();
    await this.#publisher?.close();
    this.emit('left', { reason, ...(error ? { message: error.message, error } : {}) });
  }
}

function reasonOf({ code, bye, error }: SignalingEnd): LeftReason {
  if (bye === 'ended' || code === CLOSE.meetingEnded) return 'ended';
  if (bye === 'removed' || code === CLOSE.removed) return 'removed';
  if (code === CLOSE.replaced) return 'replaced';
  if (error.code === 'token-expired') return 'token-expired';
  if (code === CLOSE.left) return 'left';
  return error.fault === 'caller' || error.fault === 'internal' ? 'failed' : 'server-unreachable';
}
