export { sanitizeFileName, trackFileName } from './file-name.ts';
export { type SavedFrame, TrackFile, type TrackFileOptions, type TrackFileSummary } from './track-file.ts';
