export { keptFile } from './kept-file.ts';
export * from './objects/index.ts';
export { openStore, type StoreLogger, type StoreOptions } from './open.ts';
export { hashPassword, verifyPassword } from './password.ts';
export { loadServerId } from './server-id.ts';
export type * from './types.ts';
