export { Encoder, type EncoderEvents, type EncoderOptions, type EncoderResume } from './encoder.ts';
export type { Fragment, Sink } from './types.ts';
