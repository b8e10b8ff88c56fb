/** The functions of the store. */
import type { MeetError } from '../../protocol/errors.ts';
import type { RecordingStatus } from '../../protocol/recording.ts';
import type {
  AuditRecord,
  Block,
  FullMessage,
  MediaStream,
  MediaStreamPatch,
  Meeting,
  MeetingPatch,
  NewAuditRecord,
  NewFile,
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
  StoredFile,
  StoredWebhook,
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
  /** The user of that id, made where there is none. */
  ensure(id: string): Promise<User>;
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
  rejoin(id: string, serverId: string, address?: string | null): Promise<Participant | undefined>;
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
  /** Who came last to make this recording. */
  lastRecorder(recordingId: string): Promise<Participant | undefined>;
  /** Whether the user has been in the meeting, and was not removed from it. */
  wasIn(meetingId: string, userId: string): Promise<boolean>;
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
  /**
   * Begins in status `recording`.
   * @throws MeetError `not-found` when the meeting is unknown, `recording-running` where another one of it runs
   */
  create(recording: NewRecording): Promise<Recording>;
  get(id: string): Promise<Recording | undefined>;
  update(id: string, patch: RecordingPatch): Promise<Recording | undefined>;
  /** Oldest first. */
  list(meetingId: string): Promise<Recording[]>;
  /** Recordings in one of the states, as those left unfinished by a crash. Oldest first. */
  listByStatus(...status: RecordingStatus[]): Promise<Recording[]>;
  /** The recording of the meeting that runs. */
  running(meetingId: string): Promise<Recording | undefined>;
  /** Those to be deleted at this time. */
  listExpired(options: { now: number; limit: number }): Promise<Recording[]>;
  /** Forgets the record, not the object. Answers whether it was there. */
  delete(id: string): Promise<boolean>;
}

export interface Messages {
  /**
   * Stores it under the meeting's next sequence number. A second message of the same sender with the same
   * `clientId` is not stored: the first one is returned. Numbers become visible in order, so that a reader who
   * asks for what came after the last one it saw never misses one.
   * @throws MeetError `meeting-not-found`, `meeting-ended`; `not-found` when sender, recipient, the message that it answers
   * or the file is unknown, or not the sender's to use.
   */
  append(message: NewMessage): Promise<FullMessage>;
  /**
   * The same for many in one transaction, in their order; a message that is refused keeps none of the others back.
   * Throws only what keeps all of them from being stored.
   */
  appendAll(messages: readonly NewMessage[]): Promise<(FullMessage | MeetError)[]>;
  get(id: string): Promise<FullMessage | undefined>;
  /**
   * Messages in order: those after a sequence number (0: from the first), or the last ones before one, from the first
   * unless told. `limit` is 100 unless given. With `visibleTo` only those that are for everyone, or to or from this
   * participant; with `null` only those for everyone.
   */
  page(
    meetingId: string,
    options?: { after?: number; before?: number; limit?: number; visibleTo?: string | null },
  ): Promise<FullMessage[]>;
  /** The meeting's last sequence number, 0 where there is no message. */
  last(meetingId: string): Promise<number>;
}

/** What participants have uploaded; the bytes are in the object store. */
export interface Files {
  /** @throws MeetError `not-found` when sender or meeting is unknown. */
  create(file: NewFile): Promise<StoredFile>;
  get(id: string): Promise<StoredFile | undefined>;
  /** Whether the participant uploaded it or can see a message with it; `null` stands for who sees what is for everyone. */
  isVisibleTo(id: string, participantId: string | null): Promise<boolean>;
  /** Files to be deleted: those expired at `now`, and those made before `unsentBefore` that no message has. */
  listExpired(options: { now: number; unsentBefore: number; limit: number }): Promise<StoredFile[]>;
  /** The object is gone. */
  markDeleted(id: string, at: number): Promise<void>;
}

/** Who may not come back to a meeting. */
export interface Blocks {
  add(block: Block): Promise<void>;
  /** By account, or by address who has none. */
  find(meetingId: string, who: { userId: string | null; address: string }): Promise<Block | undefined>;
  /** Of one who was removed, or all; answers how many there were. */
  remove(meetingId: string, participantId?: string): Promise<number>;
}

/** The audit log, which can only grow. */
export interface Audit {
  /** All or none of them. */
  append(records: readonly NewAuditRecord[]): Promise<void>;
  /** Entries after an id, in order. */
  page(meetingId: string, options: { after: number; limit: number }): Promise<AuditRecord[]>;
}

/** Calls of webhooks that are still to be made; they outlive the server. */
export interface Webhooks {
  /** A second one of the same id is not added. */
  add(call: { id: string; body: string; createdAt: number }): Promise<void>;
  /** Takes those that are due, for one caller only, who has until `busyUntil` to delete them or put them off. */
  take(options: { now: number; busyUntil: number; limit: number }): Promise<StoredWebhook[]>;
  later(id: string, nextAt: number): Promise<void>;
  /** When the next one is due. */
  nextAt(): Promise<number | undefined>;
  delete(id: string): Promise<void>;
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
  readonly files: Files;
  readonly blocks: Blocks;
  readonly audit: Audit;
  readonly webhooks: Webhooks;
  readonly secrets: Secrets;
  /** Resolves when the database answers. @throws MeetError `storage-failed` */
  check(): Promise<void>;
  close(): Promise<void>;
}
