/**
 * What the store keeps: the domain objects, what creates and changes them, and the functions on them. Times are
 * milliseconds since the epoch; an absent value is `null`, never `undefined`.
 */
import type { MediaKind, MediaSource, MeetingStatus, Role } from '../../protocol/model.ts';

export type Tier = 'free' | 'pro' | 'enterprise';

export interface UserPreferences {
  /** Highest picture height the user wants to receive; `auto` leaves it to bandwidth. */
  videoQuality: 'auto' | '180p' | '360p' | '720p' | '1080p';
  notifications: {
    meetingReminder: boolean;
    recordingReady: boolean;
  };
}

export interface User {
  id: string;
  name: string | null;
  email: string | null;
  tier: Tier;
  preferences: UserPreferences;
  createdAt: number;
}

export interface NewUser {
  id?: string;
  name?: string | null;
  /** Unique among users, compared without regard to case. */
  email?: string | null;
  tier?: Tier;
  preferences?: Partial<UserPreferences>;
  createdAt?: number;
}

export type UserPatch = Partial<Omit<NewUser, 'id' | 'createdAt'>>;

export interface Meeting {
  id: string;
  hostUserId: string | null;
  title: string | null;
  status: MeetingStatus;
  scheduledTime: number | null;
  /** Planned length in minutes. */
  duration: number | null;
  createdAt: number;
  startedAt: number | null;
  endedAt: number | null;
  /** As `hashPassword` makes it; `null` where the meeting has no password. */
  passwordHash: string | null;
  waitingRoom: boolean;
  /** Whether the meeting is to be recorded. */
  recording: boolean;
  /** Whether the host lets nobody else in. */
  locked: boolean;
}

export interface NewMeeting {
  /** Made by the store when absent, in the form `abc-defg-hij`. */
  id?: string;
  hostUserId?: string | null;
  title?: string | null;
  scheduledTime?: number | null;
  duration?: number | null;
  passwordHash?: string | null;
  waitingRoom?: boolean;
  recording?: boolean;
  createdAt?: number;
}

export type MeetingPatch = Partial<
  Pick<
    Meeting,
    | 'hostUserId'
    | 'title'
    | 'scheduledTime'
    | 'duration'
    | 'passwordHash'
    | 'waitingRoom'
    | 'recording'
    | 'locked'
  >
>;

export interface Participant {
  id: string;
  meetingId: string;
  userId: string | null;
  displayName: string;
  role: Role;
  joinedAt: number;
  leftAt: number | null;
  /** Why it left: `left`, `removed`, `timeout`, `meeting-ended`, …; `null` while present. */
  leaveReason: string | null;
}

export interface NewParticipant {
  id?: string;
  meetingId: string;
  userId?: string | null;
  displayName: string;
  role?: Role;
  joinedAt?: number;
}

export type ParticipantPatch = Partial<Pick<Participant, 'displayName' | 'role' | 'userId'>>;

/** One audio or video stream that a participant sends or sent. */
export interface MediaStream {
  id: string;
  participantId: string;
  meetingId: string;
  kind: MediaKind;
  source: MediaSource;
  /** Lower-case codec name: `opus`, `vp8`, `vp9`, `h264`, `av1`. */
  codec: string;
  /** Number of simulcast layers offered. */
  layers: number;
  /** Last measured rate in bit/s. */
  bitrate: number | null;
  /** Best layer that arrives now, counted from 0. */
  qualityLevel: number | null;
  startedAt: number;
  endedAt: number | null;
}

export interface NewMediaStream {
  id?: string;
  participantId: string;
  meetingId: string;
  kind: MediaKind;
  source: MediaSource;
  codec: string;
  layers?: number;
  bitrate?: number | null;
  startedAt?: number;
}

export type MediaStreamPatch = Partial<Pick<MediaStream, 'codec' | 'layers' | 'bitrate' | 'qualityLevel'>>;

export type RecordingStatus = 'recording' | 'processing' | 'ready' | 'failed';
export type RecordingFormat = 'mp4' | 'webm';

export interface TranscriptSegment {
  /** Milliseconds from the recording's start. */
  startMs: number;
  endMs: number;
  participantId: string | null;
  text: string;
}

export interface RecordingAccess {
  /** `host`: hosts only; `participants`: whoever was in the meeting; `link`: whoever holds a link. */
  scope: 'host' | 'participants' | 'link';
  /** Users who may see it besides. */
  userIds: string[];
}

export interface Recording {
  id: string;
  meetingId: string;
  /** Key in the object store; `null` until the first byte is stored. */
  location: string | null;
  format: RecordingFormat;
  status: RecordingStatus;
  durationMs: number | null;
  sizeBytes: number | null;
  transcript: TranscriptSegment[] | null;
  access: RecordingAccess;
  createdAt: number;
  endedAt: number | null;
}

export interface NewRecording {
  id?: string;
  meetingId: string;
  location?: string | null;
  format?: RecordingFormat;
  access?: RecordingAccess;
  createdAt?: number;
}

export type RecordingPatch = Partial<
  Pick<
    Recording,
    'location' | 'format' | 'status' | 'durationMs' | 'sizeBytes' | 'transcript' | 'access' | 'endedAt'
  >
>;

export interface Message {
  id: string;
  meetingId: string;
  /** 1 for a meeting's first message, then without gaps. */
  sequence: number;
  senderId: string;
  /** The participant it is for; `null` for everyone. */
  recipientId: string | null;
  content: string;
  /** Key of an attached file in the object store. */
  fileId: string | null;
  createdAt: number;
  /** The sender's own name for the message, by which a repeated send is recognised. */
  clientId: string | null;
}

export interface NewMessage {
  id?: string;
  meetingId: string;
  senderId: string;
  recipientId?: string | null;
  content: string;
  fileId?: string | null;
  clientId?: string | null;
  createdAt?: number;
}

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
  /** Ends its presence and, in the same transaction, its streams; who has left stays as it was. */
  leave(id: string, reason: string, at?: number): Promise<Participant | undefined>;
  /** Everyone present leaves, as after a crash of the server that held them. Answers how many there were. */
  leaveAll(meetingId: string, reason: string, at?: number): Promise<number>;
  /** Those who have not left, in the order they joined. */
  listPresent(meetingId: string): Promise<Participant[]>;
}

export interface MediaStreams {
  /** @throws MeetError `not-found` when the participant or meeting is unknown. */
  start(stream: NewMediaStream): Promise<MediaStream>;
  get(id: string): Promise<MediaStream | undefined>;
  update(id: string, patch: MediaStreamPatch): Promise<MediaStream | undefined>;
  /** A stream that has ended stays as it was. */
  end(id: string, at?: number): Promise<MediaStream | undefined>;
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

/** The SQL store. Every function may also throw `storage-failed`, `disk-full` or, for text with NUL, `bad-request`. */
export interface Store {
  readonly engine: 'sqlite' | 'postgres';
  readonly users: Users;
  readonly meetings: Meetings;
  readonly participants: Participants;
  readonly mediaStreams: MediaStreams;
  readonly recordings: Recordings;
  readonly messages: Messages;
  /** Resolves when the database answers. @throws MeetError `storage-failed` */
  check(): Promise<void>;
  close(): Promise<void>;
}
