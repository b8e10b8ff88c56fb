export {
  createMeeting,
  endMeeting,
  getMeeting,
  type MeetingAddress,
  resolveMeeting,
  serverUrl,
} from './api.ts';
export { joinMeeting } from './join.ts';
export type { MeetingClient } from './meeting.ts';
export type { RemoteTrack } from './peer/remote-track.ts';
export { TrackDecoder } from './peer/track-decoder.ts';
export type * from './types.ts';
export { MAX_PAGE_SIZE, type View } from './view.ts';
