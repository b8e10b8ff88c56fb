/**
 * Rows as Kysely sees them: columns are snake_case in the database and camelCase here. Both engines store times
 * as 64-bit integers, booleans as 0 and 1, and JSON as text.
 */
import type { Generated } from 'kysely';
import type {
  AuditRecord,
  Block,
  MediaStream,
  Meeting,
  Message,
  Participant,
  Recording,
  StoredFile,
  StoredWebhook,
  Tier,
} from './types.ts';

type Flag = 0 | 1;

export interface UserRow {
  id: string;
  name: string | null;
  email: string | null;
  tier: Tier;
  preferences: string;
  createdAt: number;
}

/** What of a meeting is on or off. */
export const MEETING_FLAGS = [
  'waitingRoom',
  'recording',
  'locked',
  'unmuting',
  'screenSharing',
  'severalScreens',
] as const;
type MeetingFlag = (typeof MEETING_FLAGS)[number];

export interface MeetingRow extends Omit<Meeting, MeetingFlag>, Record<MeetingFlag, Flag> {
  /** Number of the last message; its row lock is what puts concurrent messages in order. */
  lastSequence: number;
}

/** What of a recording is stored as JSON. */
export const RECORDING_JSON = [
  'transcript',
  'access',
  'pauses',
  'files',
  'steps',
  'recorder',
  'wanted',
] as const;
type RecordingJson = (typeof RECORDING_JSON)[number];

export type RecordingRow = {
  [Name in keyof Recording]: Name extends RecordingJson
    ? string | (null extends Recording[Name] ? null : never)
    : Recording[Name];
};

export interface FileRow extends Omit<StoredFile, 'scanned' | 'sent'> {
  scanned: Flag;
  sent: Flag;
}

export interface AuditRow extends Omit<AuditRecord, 'id' | 'detail'> {
  id: Generated<number>;
  detail: string | null;
}

export interface SecretRow {
  name: string;
  value: string;
}

export interface Tables {
  users: UserRow;
  meetings: MeetingRow;
  participants: Participant;
  mediaStreams: MediaStream;
  recordings: RecordingRow;
  messages: Message;
  files: FileRow;
  blocks: Block;
  audit: AuditRow;
  webhooks: StoredWebhook;
  secrets: SecretRow;
}

export const flag = (value: boolean): Flag => (value ? 1 : 0);
