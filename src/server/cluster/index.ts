export { type LiveStateLogger, type LiveStateOptions, openLiveState } from './open.ts';
export type * from './types.ts';
