export { chooseEncodings } from './choose.ts';
export { Encoder, type EncoderEvents, type EncoderOptions, type EncoderResume } from './encoder.ts';
export { LiveFile } from './live-file.ts';
export { RtmpSink } from './rtmp.ts';
export type { EncodeSettings, VideoEncoding } from './settings.ts';
export type { Fragment, Sink } from './types.ts';
