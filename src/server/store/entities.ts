/**
 * The domain objects that the store keeps, and what creates and changes them. Times are milliseconds since the
 * epoch; an absent value is `null`, never `undefined`.
 */
import type { MediaKind, MediaSource, MeetingStatus, Role } from '../../protocol/model.ts';
import type {
  AccessScope,
  LayoutName,
  RecordingFormat,
  RecordingStatus,
  RecordingStep,
  StartRecording,
} from '../../protocol/recording.ts';

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
  /** Whether participants may unmute themselves. */
  unmuting: boolean;
  /** Whether participants may share their screens. */
  screenSharing: boolean;
  /** Whether several may share at the same time. */
  severalScreens: boolean;
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
  locked?: boolean;
  unmuting?: boolean;
  screenSharing?: boolean;
  severalScreens?: boolean;
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
    | 'unmuting'
    | 'screenSharing'
    | 'severalScreens'
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
  /** The server whose presence it is, as `loadServerId` tells it. */
  serverId: string | null;
  /** Where it connected from, of IPv6 the network; `null` when it has left. */
  address: string | null;
  /** The recording that it makes, or `standalone`; `null` for everybody else. */
  recorder: string | null;
}

export interface NewParticipant {
  id?: string;
  meetingId: string;
  userId?: string | null;
  displayName: string;
  role?: Role;
  joinedAt?: number;
  serverId?: string | null;
  address?: string | null;
  recorder?: string | null;
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

export interface TranscriptSegment {
  /** Milliseconds from the recording's start. */
  startMs: number;
  endMs: number;
  participantId: string | null;
  text: string;
}

export interface RecordingAccess {
  scope: AccessScope;
  /** Users who may see it besides. */
  userIds: string[];
}

/** A file of a recording that can be had. */
export interface StoredRecordingFile {
  /** Within the recording, as `recording.mp4`. */
  name: string;
  /** In the recordings' folder of the server that made it, or in the object store. */
  place: 'folder' | 'objects';
  /** In that place. */
  key: string;
  size: number;
  contentType: string;
}

/** What a server needs to watch over a recorder, also after a restart. */
export interface RecorderRecord {
  /** What it was started with. */
  options: StartRecording;
  /** The process; `null` while there is none. */
  pid: number | null;
  /** How often it was started. */
  starts: number;
  /** Bytes of its events that have been acted upon. */
  read: number;
  /** It records, all that it recorded is there, what comes after is being made, or all of that is there, too. */
  stage: 'record' | 'recorded' | 'process' | 'processed';
  /** It died, and the one that was started after it has not said yet that it goes on. */
  recovering: boolean;
  /** It has no space left. */
  diskFull: boolean;
}

/** What the recorder is to do, besides the recording's layout; whichever server was asked writes it. */
export interface WantedRecording {
  paused: boolean;
  pin: string | null;
  /** When it was told to end, milliseconds since the epoch. */
  stopAt: number | null;
}

export interface Recording {
  id: string;
  meetingId: string;
  /** The meeting's, when the recording began. */
  title: string | null;
  /** Where it was uploaded to, `s3://bucket/key`; `null` where it was not. */
  location: string | null;
  format: RecordingFormat;
  layout: LayoutName;
  status: RecordingStatus;
  durationMs: number | null;
  sizeBytes: number | null;
  pauses: { from: number; to: number | null }[];
  files: StoredRecordingFile[];
  steps: RecordingStep[];
  transcript: TranscriptSegment[] | null;
  access: RecordingAccess;
  /** The secret of its link; `null` until there is one. */
  linkKey: string | null;
  /** Why it failed. */
  error: string | null;
  /** The server that runs its recorder. */
  serverId: string | null;
  recorder: RecorderRecord | null;
  wanted: WantedRecording;
  createdAt: number;
  /** When the first media was recorded. */
  startedAt: number | null;
  endedAt: number | null;
  /** When it is to be deleted; `null` for never. */
  expiresAt: number | null;
}

export interface NewRecording {
  id?: string;
  meetingId: string;
  title?: string | null;
  location?: string | null;
  format?: RecordingFormat;
  layout?: LayoutName;
  access?: RecordingAccess;
  serverId?: string | null;
  recorder?: RecorderRecord | null;
  wanted?: WantedRecording;
  createdAt?: number;
}

export type RecordingPatch = Partial<Omit<Recording, 'id' | 'meetingId' | 'createdAt'>>;

/** A call of a webhook that is still to be made. */
export interface StoredWebhook {
  id: string;
  /** JSON, sent as it is. */
  body: string;
  /** How often it was tried, the try that it was taken for among them. */
  attempts: number;
  nextAt: number;
  createdAt: number;
}

export interface Message {
  id: string;
  meetingId: string;
  /** 1 for a meeting's first message, then without gaps. */
  sequence: number;
  senderId: string;
  /** The participant it is for; `null` for everyone. */
  recipientId: string | null;
  content: string;
  /** Id of the message that it answers. */
  replyTo: string | null;
  fileId: string | null;
  createdAt: number;
  /** The sender's own name for the message, by which a repeated send is recognised. */
  clientId: string | null;
}

/** A message with what belongs to it. */
export interface FullMessage extends Message {
  senderName: string;
  recipientName: string | null;
  file: StoredFile | null;
}

export interface NewMessage {
  id?: string;
  meetingId: string;
  senderId: string;
  recipientId?: string | null;
  content: string;
  replyTo?: string | null;
  fileId?: string | null;
  clientId?: string | null;
  createdAt?: number;
}

/** A file that a participant has uploaded. */
export interface StoredFile {
  id: string;
  meetingId: string;
  senderId: string;
  name: string;
  contentType: string;
  /** Bytes. */
  size: number;
  /** Key in the object store. */
  location: string;
  /** Whether a virus scanner has seen it. */
  scanned: boolean;
  /** Whether a message has it. */
  sent: boolean;
  createdAt: number;
  expiresAt: number;
  /** When the object was deleted. */
  deletedAt: number | null;
}

export type NewFile = Omit<StoredFile, 'sent' | 'deletedAt'>;

/** Who may not come back to a meeting. */
export interface Block {
  meetingId: string;
  /** Whom it was that a host removed. */
  participantId: string;
  userId: string | null;
  /** Only where there is no user. */
  address: string | null;
  createdAt: number;
}

/** One line of the audit log. */
export interface AuditRecord {
  id: number;
  meetingId: string;
  at: number;
  actorId: string | null;
  actorUserId: string | null;
  actorName: string | null;
  actorRole: Role | null;
  address: string | null;
  action: string;
  targetId: string | null;
  targetName: string | null;
  outcome: 'allowed' | 'refused';
  code: string | null;
  detail: Readonly<Record<string, unknown>> | null;
}

export type NewAuditRecord = Omit<AuditRecord, 'id'>;
