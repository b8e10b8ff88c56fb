export { FILES, type NewRecording, RecordingFolder, readRecording } from './folder.ts';
export {
  findUnfinished,
  type ListedRecording,
  type Listing,
  lastSignOfLife,
  listRecordings,
} from './list.ts';
export { isLocked, lockFile } from './lock.ts';
export { isPaused, outputDurationMs, outputTimeMs, wallTimeMs } from './output-time.ts';
export type { Pause, Recording, RecordingState, StepState } from './recording.ts';
export { isUnfinished } from './recording.ts';
