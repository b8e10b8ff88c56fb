/// <reference types="node" preserve="true" />
/** The package's programming interface: join meetings, send and receive encoded media. */
export * from './client/index.ts';
export type * from './media/types.ts';
export { ERRORS, type ErrorCode, EXIT, MeetError } from './protocol/errors.ts';
export type * from './protocol/model.ts';
