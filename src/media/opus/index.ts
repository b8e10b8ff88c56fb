export * from './decoder.ts';
export { OpusLiveEncoder, PACKET_SAMPLES } from './encoder.ts';
export { hasFec } from './fec.ts';
