export * from './decoder.ts';
export { hasFec } from './fec.ts';
