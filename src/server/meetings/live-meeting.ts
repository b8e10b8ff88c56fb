/** A meeting that has people in it: its participants, their room in the SFU and what everyone is told. */
import { EventEmitter } from 'node:events';
import type { Action } from '../../protocol/actions.ts';
import { MeetError } from '../../protocol/errors.ts';
import type { MeetingInfo, ParticipantInfo, Role } from '../../protocol/model.ts';
import { CLOSE } from '../../protocol/signaling.ts';
import type { ServerLogger } from '../config.ts';
import type { Room } from '../sfu/index.ts';
import { type Audience, StateBroadcast } from '../signaling/broadcast.ts';
import type { Connection } from '../signaling/connection.ts';
import { type Farewell, type ParticipantIdentity, Session } from '../signaling/session.ts';
import type { Credentials } from '../signaling/token-refresh.ts';
import type { Meeting } from '../store/index.ts';
import { meetingInfo } from './info.ts';
import type { Records } from './records.ts';

export interface LiveMeetingOptions {
  readonly meeting: Meeting;
  readonly room: Room;
  /** Base URL for as long as nobody has come by another. */
  readonly baseUrl: string;
  readonly records: Records;
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
  /** The server's URL as they reach it. */
  readonly baseUrl: string;
}

export interface LiveMeetingEvents {
  /** The last participant is gone. */
  empty: [];
}

const DENIED: Farewell = { code: CLOSE.removed, reason: 'denied', message: 'The host did not let you in.' };

const isHost = (role: Role) => role !== 'participant';
const audienceOf = ({ waiting }: Session): Audience => (waiting ? 'hosts' : 'everyone');

export class LiveMeeting extends EventEmitter<LiveMeetingEvents> {
  readonly id: string;
  readonly #options: LiveMeetingOptions;
  readonly #logger: ServerLogger;
  readonly #sessions = new Map<string, Session>();
  readonly #state: StateBroadcast;
  #meeting: Meeting;
  #baseUrl: string | undefined;
  #closed = false;

  constructor(options: LiveMeetingOptions) {
    super();
    this.id = options.meeting.id;
    this.#options = options;
    this.#logger = options.logger;
    this.#meeting = options.meeting;
    this.#state = new StateBroadcast({
      meeting: () => this.info(),
      participant: (id) => this.#sessions.get(id)?.info(),
      speakers: () => options.room.speakers,
      audioSlots: () => options.room.audioSlots,
      send: (audience, text) => {
        for (const session of this.#sessions.values()) {
          if (audience === 'everyone' ? !session.waiting : isHost(session.identity.role))
            session.sendText(text);
        }
      },
      count: () => this.#sessions.size,
    });
    options.room.on('speakers', () => this.#state.speakersChanged());
    options.room.on('audioSlots', (slots) => this.#state.audioSlotsChanged(slots));
    options.room.on('reset', ({ reason }) => this.#mediaReset(reason));
  }

  get closed(): boolean {
    return this.#closed;
  }

  get baseUrl(): string {
    return this.#baseUrl ?? this.#options.baseUrl;
  }

  get empty(): boolean {
    return this.#sessions.size === 0;
  }

  info(): MeetingInfo {
    return meetingInfo(this.#meeting, this.baseUrl);
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
  attach(connection: Connection, { identity, tokenExpiresAt, baseUrl }: Arrival): void {
    this.#baseUrl ??= baseUrl;
    let session = this.#sessions.get(identity.id);
    if (session === undefined) {
      const waits = this.#meeting.waitingRoom && !isHost(identity.role);
      session = this.#createSession(identity, { joinedAt: Date.now(), waiting: waits });
      if (!waits) this.#options.records.joined(this.id, session.info(), identity);
    }
    session.attach(connection, tokenExpiresAt);
  }

  /** Keeps a place for someone who was here when the server went down. */
  restore(identity: ParticipantIdentity, joinedAt: number): void {
    if (this.#sessions.has(identity.id)) return;
    this.#createSession(identity, { joinedAt, waiting: false });
    this.#options.records.restored(identity.id);
  }

  /** The stored meeting changed. */
  update(meeting: Meeting): void {
    this.#meeting = meeting;
    this.#state.meetingChanged();
    if (meeting.waitingRoom) return;
    for (const session of this.#sessions.values()) if (session.waiting) this.#admit(session);
  }

  /** Sends everyone away and closes the room. */
  close(farewell: Farewell): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#state.close();
    for (const session of this.#sessions.values()) session.close(farewell.reason, farewell);
    this.#options.room.close();
  }

  #createSession(
    identity: ParticipantIdentity,
    { joinedAt, waiting }: { joinedAt: number; waiting: boolean },
  ): Session {
    const { room, records, issueCredentials, tokenTtlMs, resumeWindowMs } = this.#options;
    const session: Session = new Session({
      identity,
      joinedAt,
      waiting,
      state: this.#state,
      visible: () =>
        session.waiting ? [session.info()] : this.participants(isHost(identity.role) ? 'hosts' : 'everyone'),
      decide: (decision) => this.#decide(identity, decision),
      addPeer: () => room.addPeer(identity.id),
      issueCredentials: () => issueCredentials(this.id, identity),
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
      this.#state.participantLeft(identity.id, reason, audienceOf(session));
      records.left(identity.id, reason);
      if (this.empty && !this.#closed) this.emit('empty');
    });
    this.#sessions.set(identity.id, session);
    return session;
  }

  #admit(session: Session): void {
    this.#options.records.joined(this.id, session.info(), session.identity);
    session.admit();
  }

  #decide({ role }: ParticipantIdentity, payload: Action): void {
    if (!isHost(role)) throw new MeetError('forbidden', 'Only a host of the meeting may do this.');
    if (payload.action !== 'admit' && payload.action !== 'deny')
      throw new MeetError('forbidden', 'Not here.');
    const session = this.#sessions.get(payload.participantId);
    if (!session?.waiting) {
      throw new MeetError('not-found', `Nobody waits with the id ${payload.participantId.slice(0, 80)}.`);
    }
    if (payload.action === 'admit') this.#admit(session);
    else session.close(DENIED.reason, DENIED);
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
