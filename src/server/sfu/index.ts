export { Sfu } from './sfu.ts';
export type * from './types.ts';
