export { objectKey } from './contents.ts';
export { readJournal, type UploadEntry } from './journal.ts';
export { type LiveFragment, type LiveOutcome, LiveUpload, type LiveUploadOptions } from './live-upload.ts';
export { openUploadTarget, type TargetOptions } from './open-target.ts';
export { findExpired, removeExpired } from './policy/folder-expiry.ts';
export type { LifecycleDays, Replication } from './policy/types.ts';
export type { LocalCopy } from './source.ts';
export type { UploadFault, UploadTarget, Verification } from './types.ts';
export { ObjectTraits } from './types.ts';
export {
  type StoredObject,
  type UploadRecordingOptions,
  type UploadReport,
  uploadRecording,
} from './upload-recording.ts';
