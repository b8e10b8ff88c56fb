/** The functions of the store. */
import type {
  MediaStream,
  MediaStreamPatch,
  Meeting,
  MeetingPatch,
  Message,
  NewMediaStream,
  NewMeeting,
  NewMessage,
  NewParticipant,
  NewRecording,
  NewUser,
  Participant,
  ParticipantPatch,
  Recording,
  RecordingPatch,
  RecordingStatus,
  User,
  UserPatch,
} from './entities.ts';

export type * from './entities.ts';

/** `get` and `update` answer `undefined` where there is no such record. */
export interface Users {
  /** @throws MeetError `bad-request` when the id or e-mail address is taken. */
  create(user?: NewUser): Promise<User>;
  get(id: string): Promise<User | undefined>;
  getByEmail(email: string): Promise<User | undefined>;
  update(id: string, patch: UserPatch): Promise<User | undefined>;
}

export interface Meetings {
  /** @throws MeetError `bad-request` when the given id is taken, `not-found` when the host is no user. */
  create(meeting?: NewMeeting): Promise<Meeting>;
  get(id: string): Promise<Meeting | undefined>;
  update(id: string, patch: MeetingPatch): Promise<Meeting | undefined>;
  /**
   * Marks it as in progress; a meeting that is so already stays as it was.
   * @throws MeetError `meeting-not-found`, `meeting-ended`
   */
  start(id: string, at?: number): Promise<Meeting>;
  /**
   * Ends it for good, and in the same transaction everyone's presence and streams. A meeting that has ended stays
   * as it was.
   * @throws MeetError `meeting-not-found`
   */
  end(id: string, at?: number): Promise<Meeting>;
  /** Meetings that have not ended, newest first. `limit` is 100 unless given. */
  listOpen(options?: { status?: 'scheduled' | 'in-progress'; limit?: number }): Promise<Meeting[]>;
}

export interface Participants {
  /** @throws MeetError `meeting-not-found`, `meeting-ended` */
  add(participant: NewParticipant): Promise<Participant>;
  get(id: string): Promise<Participant | undefined>;
  update(id: string, patch: ParticipantPatch): Promise<Participant | undefined>;
  /**
   * Someone with a record is in the meeting, on this server: their leaving, if they had left, is taken back.
   * @throws MeetError `meeting-ended`
   */
  rejoin(id: string, serverId: string): Promise<Participant | undefined>;
  /**
   * Ends its presence and, in the same transaction, its streams; who has left stays as it was, and with `serverId` who
   * is on another server by now.
   */
  leave(
    id: string,
    reason: string,
    options?: { at?: number; serverId?: string },
  ): Promise<Participant | undefined>;
  /** Everyone present leaves, as after a crash of the server that held them. Answers how many there were. */
  leaveAll(meetingId: string, reason: string, at?: number): Promise<number>;
  /** Those who have not left, in the order they joined. */
  listPresent(meetingId: string): Promise<Participant[]>;
  /** The same for a server's meetings in progress. */
  listPresentOn(serverId: string): Promise<Participant[]>;
}

export interface MediaStreams {
  /** @throws MeetError `not-found` when the participant or meeting is unknown. */
  start(stream: NewMediaStream): Promise<MediaStream>;
  get(id: string): Promise<MediaStream | undefined>;
  update(id: string, patch: MediaStreamPatch): Promise<MediaStream | undefined>;
  /** A stream that has ended stays as it was. */
  end(id: string, at?: number): Promise<MediaStream | undefined>;
  /** Ends all that the participant sends. */
  endAllOf(participantId: string, at?: number): Promise<void>;
  /** Streams of a meeting that have not ended, oldest first. */
  listLive(meetingId: string): Promise<MediaStream[]>;
}

export interface Recordings {
  /** Begins in status `recording`. @throws MeetError `not-found` when the meeting is unknown. */
  create(recording: NewRecording): Promise<Recording>;
  get(id: string): Promise<Recording | undefined>;
  update(id: string, patch: RecordingPatch): Promise<Recording | undefined>;
  /** Oldest first. */
  list(meetingId: string): Promise<Recording[]>;
  /** Recordings in one of the states, as those left unfinished by a crash. Oldest first. */
  listByStatus(...status: RecordingStatus[]): Promise<Recording[]>;
  /** Forgets the record, not the object. Answers whether it was there. */
  delete(id: string): Promise<boolean>;
}

export interface Messages {
  /**
   * Stores it under the meeting's next sequence number. A second message of the same sender with the same
   * `clientId` is not stored: the first one is returned. Numbers become visible in order, so that a reader who
   * asks for what came after the last one it saw never misses one.
   * @throws MeetError `meeting-not-found`, `meeting-ended`, `not-found` when sender or recipient is unknown.
   */
  append(message: NewMessage): Promise<Message>;
  get(id: string): Promise<Message | undefined>;
  /**
   * Messages after a sequence number (0: from the first), in order. `limit` is 100 unless given. With `visibleTo`
   * only those that are for everyone, or to or from this participant.
   */
  page(
    meetingId: string,
    options?: { after?: number; limit?: number; visibleTo?: string },
  ): Promise<Message[]>;
}

/** What servers that share a database have in common and nobody else may know. */
export interface Secrets {
  /** The value of that name; `create` makes it the first time. All callers, in whichever process, get the same. */
  getOrCreate(name: string, create: () => string): Promise<string>;
}

/** The SQL store. Every function may also throw `storage-failed`, `disk-full` or, for text with NUL, `bad-request`. */
export interface Store {
  readonly engine: 'sqlite' | 'postgres';
  readonly users: Users;
  readonly meetings: Meetings;
  readonly participants: Participants;
  readonly mediaStreams: MediaStreams;
  readonly recordings: Recordings;
  readonly messages: Messages;
  readonly secrets: Secrets;
  /** Resolves when the database answers. @throws MeetError `storage-failed` */
  check(): Promise<void>;
  close(): Promise<void>;
}
