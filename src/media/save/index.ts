export { sanitizeFileName, trackFileName } from './file-name.ts';
export { createNewFile } from './new-file.ts';
export { saveError } from './save-error.ts';
export { type SavedFrame, TrackFile, type TrackFileOptions, type TrackFileSummary } from './track-file.ts';
export { type ReadFrame, type TrackFileHeader, TrackFileReader } from './track-reader.ts';
