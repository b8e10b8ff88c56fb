export { Mixer } from './mixer.ts';
export type { MixerInput, MixerInputKind } from './mixer-input.ts';
