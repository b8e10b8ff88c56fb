export { keptFile } from './kept-file.ts';
export { meetingEnded, meetingNotFound, openMeeting } from './meetings.ts';
export * from './objects/index.ts';
export { openStore, type StoreLogger, type StoreOptions } from './open.ts';
export { hashPassword, tooManyPasswords, verifyPassword } from './password.ts';
export { Semaphore } from './semaphore.ts';
export { loadServerId } from './server-id.ts';
export type * from './types.ts';
