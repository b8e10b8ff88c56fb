/** A meeting that has people in it: its participants, their room in the SFU and what everyone is told. */
import { EventEmitter } from 'node:events';
import type { MeetingInfo, ParticipantInfo } from '../../protocol/model.ts';
import type { ServerLogger } from '../config.ts';
import type { Room } from '../sfu/index.ts';
import { StateBroadcast } from '../signaling/broadcast.ts';
import type { Connection } from '../signaling/connection.ts';
import { type Credentials, type Farewell, type ParticipantIdentity, Session } from '../signaling/session.ts';
import type { Meeting } from '../store/index.ts';
import { meetingInfo } from './info.ts';
import type { Records } from './records.ts';

export interface LiveMeetingOptions {
  readonly meeting: Meeting;
  readonly room: Room;
  readonly baseUrl: string;
  readonly records: Records;
  readonly issueCredentials: (meetingId: string, identity: ParticipantIdentity) => Promise<Credentials>;
  readonly tokenTtlMs: number;
  readonly resumeWindowMs: number;
  readonly logger: ServerLogger;
}

export interface LiveMeetingEvents {
  /** The last participant is gone. */
  empty: [];
}

export class LiveMeeting extends EventEmitter<LiveMeetingEvents> {
  readonly id: string;
  readonly #options: LiveMeetingOptions;
  readonly #logger: ServerLogger;
  readonly #sessions = new Map<string, Session>();
  readonly #state: StateBroadcast;
  #meeting: Meeting;
  #closed = false;

  constructor(options: LiveMeetingOptions) {
    super();
    this.id = options.meeting.id;
    this.#options = options;
    this.#logger = options.logger;
    this.#meeting = options.meeting;
    this.#state = new StateBroadcast({
      meeting: () => this.info(),
      participants: () => this.participants(),
      participant: (id) => this.#sessions.get(id)?.info(),
      speakers: () => options.room.speakers,
      audioSlots: () => options.room.audioSlots,
      sendToAll: (text) => {
        for (const session of this.#sessions.values()) session.sendText(text);
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

  get empty(): boolean {
    return this.#sessions.size === 0;
  }

  info(): MeetingInfo {
    return meetingInfo(this.#meeting, this.#options.baseUrl);
  }

  participants(): ParticipantInfo[] {
    return [...this.#sessions.values()].map((session) => session.info());
  }

  /** Gives a connection to its participant, who resumes where there is such a one and joins where not. */
  attach(identity: ParticipantIdentity, connection: Connection, tokenExpiresAt: number): void {
    let session = this.#sessions.get(identity.id);
    if (session === undefined) {
      const joinedAt = Date.now();
      session = this.#createSession(identity, joinedAt);
      this.#options.records.joined(this.id, identity, joinedAt);
    }
    session.attach(connection, tokenExpiresAt);
  }

  /** Keeps a place for someone who was here when the server went down. */
  restore(identity: ParticipantIdentity, joinedAt: number): void {
    if (this.#sessions.has(identity.id)) return;
    this.#createSession(identity, joinedAt);
    this.#options.records.restored(identity.id);
  }

  /** The stored meeting changed. */
  update(meeting: Meeting): void {
    this.#meeting = meeting;
    this.#state.meetingChanged();
  }

  /** Sends everyone away and closes the room. */
  close(farewell: Farewell): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#state.close();
    for (const session of this.#sessions.values()) session.close(farewell.reason, farewell);
    this.#options.room.close();
  }

  #createSession(identity: ParticipantIdentity, joinedAt: number): Session {
    const { room, records, issueCredentials, tokenTtlMs, resumeWindowMs } = this.#options;
    const session = new Session({
      identity,
      joinedAt,
      state: this.#state,
      addPeer: () => room.addPeer(identity.id),
      issueCredentials: () => issueCredentials(this.id, identity),
      tokenTtlMs,
      resumeWindowMs,
      logger: this.#logger.child({ participantId: identity.id }),
    });
    session.on('changed', () => {
      this.#state.participantChanged(identity.id);
      records.tracks(this.id, session.info());
    });
    session.on('gone', ({ reason }) => {
      this.#sessions.delete(identity.id);
      this.#state.participantLeft(identity.id, reason);
      records.left(identity.id, reason);
      if (this.empty && !this.#closed) this.emit('empty');
    });
    this.#sessions.set(identity.id, session);
    return session;
  }

  #mediaReset(reason: string): void {
    this.#logger.warn({ reason }, 'Media of the meeting are being set up anew');
    for (const [id, session] of this.#sessions) {
      session.mediaReset();
      this.#state.participantChanged(id);
    }
    this.#state.mediaReset(reason);
  }
}
