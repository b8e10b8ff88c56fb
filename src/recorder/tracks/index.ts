export { EventLog, readEvents } from './event-log.ts';
export { openTracks, type StoredFrame, type StoredTrack } from './read-tracks.ts';
export { type FrameTimes, SenderTime } from './sender-time.ts';
export { TrackStore } from './track-store.ts';
export type { TrackWriter, WrittenTrack } from './track-writer.ts';
