/** A meeting that has people in it: its participants, their room in the SFU and what everyone is told. */
import { EventEmitter } from 'node:events';
import type { MeetingInfo, ParticipantInfo, Role } from '../../protocol/model.ts';
import type { LiveRecording } from '../../protocol/recording.ts';
import { CLOSE, type ServerMessage } from '../../protocol/signaling.ts';
import { STANDALONE_RECORDER } from '../auth/tokens.ts';
import { ChatBatch, ChatDelivery } from '../chat/delivery.ts';
import type { ChatFeed } from '../chat/feed.ts';
import { chatMessage } from '../chat/wire.ts';
import type { ServerLogger } from '../config.ts';
import type { Room } from '../sfu/index.ts';
import { type Audience, StateBroadcast } from '../signaling/broadcast.ts';
import type { Connection } from '../signaling/connection.ts';
import type { MeetingRequest, OkPayload } from '../signaling/dispatch.ts';
import { type Farewell, type ParticipantIdentity, Session } from '../signaling/session.ts';
import type { Credentials } from '../signaling/token-refresh.ts';
import type { Meeting, Store } from '../store/index.ts';
import { meetingInfo } from './info.ts';
import { MediaRights } from './media-rights.ts';
import { type Actor, runsMeeting } from './policy.ts';
import type { Records } from './records.ts';
import { ScreenFloor } from './screen-floor.ts';
import type { MeetingSignal } from './signals.ts';
import type { WaitingRoom } from './waiting-room.ts';

export interface LiveMeetingOptions {
  readonly meeting: Meeting;
  /** The recording that the server makes of it now. */
  readonly recording: LiveRecording | null;
  readonly room: Room;
  /** Base URL for as long as nobody has come by another. */
  readonly baseUrl: string;
  readonly records: Records;
  readonly waitingRoom: WaitingRoom;
  /** The chat from now on; closed with the meeting. */
  readonly feed: ChatFeed;
  readonly store: Store;
  /** Answers a participant's request about the meeting. @throws MeetError */
  readonly handle: (actor: Actor, request: MeetingRequest) => Promise<OkPayload>;
  /** Its end has to be told to whoever told it what happens. */
  readonly onClosed: () => void;
  readonly issueCredentials: (meetingId: string, identity: ParticipantIdentity) => Promise<Credentials>;
  readonly tokenTtlMs: number;
  readonly resumeWindowMs: number;
  readonly logger: ServerLogger;
}

/** Someone with a good token. */
export interface Arrival {
  readonly identity: ParticipantIdentity;
  /** Milliseconds since the epoch. */
  readonly tokenExpiresAt: number;
  /** Where they come from, as limits count it. */
  readonly address: string;
  /** The server's URL as they reach it. */
  readonly baseUrl: string;
  /** Number of the last chat message that they have. */
  readonly after?: number | undefined;
}

export interface LiveMeetingEvents {
  /** The last one is gone. */
  empty: [];
  /** The first participant is here, or the last one gone; who records is none. */
  occupied: [];
  deserted: [];
}

const DENIED: Farewell = { code: CLOSE.removed, reason: 'denied', message: 'The host did not let you in.' };

const REMOVED: Farewell = {
  code: CLOSE.removed,
  reason: 'removed',
  message: 'A host removed you from the meeting.',
};
const RECORDER_REPLACED: Farewell = {
  code: CLOSE.replaced,
  reason: 'removed',
  message: 'Another recorder makes this recording now.',
};
const audienceOf = ({ waiting }: Session): Audience => (waiting ? 'hosts' : 'everyone');

export class LiveMeeting extends EventEmitter<LiveMeetingEvents> {
  readonly id: string;
  readonly #options: LiveMeetingOptions;
  readonly #logger: ServerLogger;
  readonly #sessions = new Map<string, Session>();
  readonly #state: StateBroadcast;
  readonly #floor = new ScreenFloor(
    () => this.#meeting.severalScreens,
    (id) => {
      const participant = this.#sessions.get(id)?.info();
      if (participant === undefined || participant.state === 'left') return undefined;
      const shares = participant.tracks.some(({ source }) => source === 'screen');
      return { name: participant.name, shares };
    },
  );
  #meeting: Meeting;
  #recording: LiveRecording | null;
  #baseUrl: string | undefined;
  #closed = false;

  constructor(options: LiveMeetingOptions) {
    super();
    this.id = options.meeting.id;
    this.#options = options;
    this.#logger = options.logger;
    this.#meeting = options.meeting;
    this.#recording = options.recording;
    this.#state = new StateBroadcast({
      meeting: () => this.info(),
      recording: () => this.recording,
      participant: (id) => this.#sessions.get(id)?.info(),
      speakers: () => options.room.speakers,
      audioSlots: () => options.room.audioSlots,
      lastMessage: () => options.feed.delivered,
      send: (audience, text) => {
        for (const session of this.#sessions.values()) {
          if (audience === 'everyone' ? !session.waiting : runsMeeting(session.identity.role))
            session.sendText(text);
        }
      },
      count: () => this.#sessions.size,
    });
    options.room.on('speakers', () => this.#state.speakersChanged());
    options.room.on('audioSlots', (slots) => this.#state.audioSlotsChanged(slots));
    options.feed.on('messages', (messages) => {
      const batch = new ChatBatch(messages);
      for (const session of this.#sessions.values()) session.deliver(batch);
    });
    options.room.on('reset', ({ reason }) => this.#mediaReset(reason));
  }

  get closed(): boolean {
    return this.#closed;
  }

  get baseUrl(): string {
    return this.#baseUrl ?? this.#options.baseUrl;
  }

  /** The meeting as it is stored. */
  get stored(): Meeting {
    return this.#meeting;
  }

  get empty(): boolean {
    return this.#sessions.size === 0;
  }

  info(): MeetingInfo {
    return meetingInfo(this.#meeting, this.baseUrl);
  }

  /** What everybody is told of the recording. */
  get recording(): LiveRecording | null {
    return this.#recording ?? this.#standaloneRecording();
  }

  /** Nobody is in the meeting but who records it. */
  get deserted(): boolean {
    return ![...this.#sessions.values()].some(
      ({ identity, waiting }) => identity.recorder === null && !waiting,
    );
  }

  /** Those who are in the meeting, and for hosts those who wait, too. */
  participants(audience: Audience): ParticipantInfo[] {
    return [...this.#sessions.values()]
      .filter(({ waiting }) => audience === 'hosts' || !waiting)
      .map((session) => session.info());
  }

  /** Whether this participant is in the meeting and does not wait to be. */
  has(participantId: string): boolean {
    return this.#sessions.get(participantId)?.waiting === false;
  }

  /**
   * Gives a connection to its participant, who resumes where there is such a one and joins where not. Everyone is told
   * the meeting's URL as the first one reached it.
   */
  attach(connection: Connection, arrival: Arrival): void {
    const { identity, address } = arrival;
    this.#baseUrl ??= arrival.baseUrl;
    let session = this.#sessions.get(identity.id);
    if (session === undefined) {
      const waiting = this.waits(identity);
      this.#closeRecordersOf(identity.recorder);
      const wasDeserted = this.deserted;
      session = this.#createSession(identity, { joinedAt: Date.now(), waiting, address });
      if (!waiting) this.#options.records.joined(this.id, session.info(), identity, address);
      if (wasDeserted && !this.deserted) this.emit('occupied');
      if (identity.recorder === STANDALONE_RECORDER) this.#state.recordingChanged();
      if (identity.recorder !== null && this.deserted) this.emit('deserted');
    }
    session.attach(connection, arrival);
  }

  /** Whether someone who connects has to wait to be let in. */
  waits({ id, role, recorder }: ParticipantIdentity): boolean {
    const wanted = this.#meeting.waitingRoom && !runsMeeting(role) && recorder === null;
    return this.#sessions.get(id)?.waiting ?? wanted;
  }

  /** Keeps a place for someone who was here when the server went down. */
  restore(identity: ParticipantIdentity, joinedAt: number): void {
    if (this.#sessions.has(identity.id)) return;
    this.#createSession(identity, { joinedAt, waiting: false, address: null });
    this.#options.records.restored(identity.id);
  }

  /** The stored meeting changed. */
  update(meeting: Meeting): void {
    const before = this.#meeting;
    this.#meeting = meeting;
    this.#state.meetingChanged();
    for (const session of this.#sessions.values()) session.rights.settingsChanged(before);
    if (meeting.waitingRoom) return;
    for (const session of this.#sessions.values()) if (session.waiting) this.#admit(session);
  }

  /** Sends everyone away and closes the room. */
  close(farewell: Farewell): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#state.close();
    this.#options.feed.close();
    for (const session of this.#sessions.values()) session.close(farewell.reason, farewell);
    this.#options.room.close();
    this.#options.onClosed();
  }

  /** Something happens in the meeting, here or on another server. */
  apply(signal: Exclude<MeetingSignal, { type: 'updated' | 'ended' }>): void {
    switch (signal.type) {
      case 'chat':
        this.#options.feed.take(signal.messages);
        break;
      case 'reaction':
        this.#toAll({
          type: 'reaction',
          payload: { participantId: signal.participantId, reaction: signal.reaction },
        });
        break;
      case 'admit':
        for (const id of signal.participantIds) this.#admit(this.#sessions.get(id));
        break;
      case 'deny':
        this.#sessions.get(signal.participantId)?.close(DENIED.reason, DENIED);
        break;
      case 'remove':
        this.#sessions.get(signal.participantId)?.close(REMOVED.reason, REMOVED);
        break;
      case 'mute':
        for (const session of this.#present(signal.participantId)) {
          const { id, role } = session.identity;
          if (!signal.except.includes(id) && !signal.exceptRoles.includes(role))
            session.rights.mute(signal.source);
        }
        break;
      case 'ask-unmute':
        this.#sessions.get(signal.participantId)?.askToUnmute(signal.by, signal.source);
        break;
      case 'stop-share':
        this.#sessions.get(signal.participantId)?.rights.stopShare(signal.by);
        break;
      case 'lower-hand':
        for (const session of this.#present(signal.participantId)) session.setHand(false);
        break;
      case 'recording':
        this.#recording = signal.recording;
        this.#state.recordingChanged();
        break;
      case 'roles':
        for (const [id, role] of Object.entries(signal.roles)) this.#setRole(id, role);
        break;
    }
  }

  /** A recorder that is started anew takes the place of the one that died. */
  #closeRecordersOf(recording: string | null): void {
    if (recording === null || recording === STANDALONE_RECORDER) return;
    for (const session of this.#sessions.values()) {
      if (session.identity.recorder === recording) session.close('replaced', RECORDER_REPLACED);
    }
  }

  /** The recording of somebody else than the server, of which it knows nothing but that it is made. */
  #standaloneRecording(): LiveRecording | null {
    for (const session of this.#sessions.values()) {
      if (session.identity.recorder !== STANDALONE_RECORDER) continue;
      return { id: null, state: 'recording', since: session.info().joinedAt, layout: 'gallery' };
    }
    return null;
  }

  /** One who is in the meeting, or all. */
  #present(participantId: string | null): Session[] {
    const all = [...this.#sessions.values()].filter(({ waiting }) => !waiting);
    return participantId === null ? all : all.filter(({ identity }) => identity.id === participantId);
  }

  #toAll(message: ServerMessage): void {
    const text = JSON.stringify(message);
    for (const session of this.#present(null)) session.sendText(text);
  }

  #setRole(id: string, role: Role): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    const before = runsMeeting(session.identity.role);
    session.setRole(role);
    if (before === runsMeeting(role)) return;
    // Who runs the meeting sees who waits, and nobody else does.
    const waiting = [...this.#sessions.values()].filter((one) => one.waiting).map((one) => one.info());
    if (waiting.length === 0) return;
    const update = before
      ? { left: waiting.map((one) => ({ id: one.id, reason: 'hidden' })) }
      : { participants: waiting };
    session.sendText(this.#state.personal(update));
  }

  #createSession(
    identity: ParticipantIdentity,
    { joinedAt, waiting, address }: { joinedAt: number; waiting: boolean; address: string | null },
  ): Session {
    const { room, records, issueCredentials, tokenTtlMs, resumeWindowMs, waitingRoom } = this.#options;
    const rights = new MediaRights({
      participantId: identity.id,
      floor: this.#floor,
      onShareStopped: (by) => session.notify({ type: 'share-stopped', payload: { participantId: by } }),
      isHost: () => runsMeeting(session.identity.role),
      settings: () => this.#meeting,
    });
    const session: Session = new Session({
      identity,
      joinedAt,
      waiting,
      address,
      rights,
      chat: this.#delivery(identity.id),
      state: this.#state,
      visible: () =>
        session.waiting
          ? [session.info()]
          : this.participants(runsMeeting(session.identity.role) ? 'hosts' : 'everyone'),
      handle: (request) => this.#options.handle(this.#actor(session), request),
      addPeer: () => room.addPeer(identity.id, rights.rule),
      issueCredentials: () => issueCredentials(this.id, session.identity),
      tokenTtlMs,
      resumeWindowMs,
      logger: this.#logger.child({ participantId: identity.id }),
    });
    session.on('changed', () => {
      this.#state.participantChanged(identity.id, audienceOf(session));
      records.tracks(this.id, session.info());
    });
    session.on('gone', ({ reason }) => {
      this.#sessions.delete(identity.id);
      if (session.waiting) waitingRoom.leave(this.id, identity.id);
      this.#state.participantLeft(identity.id, reason, audienceOf(session));
      records.left(identity.id, reason);
      if (identity.recorder === STANDALONE_RECORDER) this.#state.recordingChanged();
      if (identity.recorder === null && this.deserted && !this.#closed) this.emit('deserted');
      if (this.empty && !this.#closed) this.emit('empty');
    });
    this.#sessions.set(identity.id, session);
    return session;
  }

  #delivery(participantId: string): ChatDelivery {
    const { feed, store } = this.#options;
    return new ChatDelivery({
      participantId,
      delivered: () => feed.delivered,
      page: async (after, limit) => {
        const messages = await store.messages.page(this.id, { after, limit, visibleTo: participantId });
        return messages.map(chatMessage);
      },
    });
  }

  #actor(session: Session): Actor {
    const { id, role, userId, name } = session.identity;
    const standing = session.waiting ? 'waiting' : role;
    return { meetingId: this.id, standing, participantId: id, userId, name, address: session.address };
  }

  #admit(session: Session | undefined): void {
    if (session?.waiting !== true) return;
    const { waitingRoom, records } = this.#options;
    waitingRoom.leave(this.id, session.identity.id);
    records.joined(this.id, session.info(), session.identity, session.address);
    const wasDeserted = this.deserted;
    session.admit();
    if (wasDeserted) this.emit('occupied');
  }

  #mediaReset(reason: string): void {
    this.#logger.warn({ reason }, 'Media of the meeting are being set up anew');
    for (const [id, session] of this.#sessions) {
      session.mediaReset();
      if (!session.waiting) this.#state.participantChanged(id);
    }
    this.#state.mediaReset(reason);
  }
}
