export {
  createMeeting,
  endMeeting,
  getMeeting,
  listAudit,
  listMessages,
  listParticipants,
  type MeetingAddress,
  performAction,
  resolveMeeting,
  serverUrl,
  type TokenOptions,
} from './api.ts';
export type { Chat, SendOptions } from './chat/chat.ts';
export { harmless, harmlessLines } from './chat/text.ts';
export type { Files, FileToSend, TransferOptions, TransferProgress } from './files/files.ts';
export type { HostControls } from './host-controls.ts';
export { joinMeeting } from './join.ts';
export type { MeetingClient } from './meeting.ts';
export type { RemoteTrack } from './peer/remote-track.ts';
export { TrackDecoder } from './peer/track-decoder.ts';
export type * from './types.ts';
export { MAX_PAGE_SIZE, type View } from './view.ts';
