export { type ReadSession, readSessionDescription } from './read.ts';
export * from './types.ts';
export { type SessionToWrite, writeSessionDescription } from './write.ts';
