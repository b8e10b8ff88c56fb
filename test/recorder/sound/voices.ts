/** Voices and clocks for tests of the mix. */
import { Mixer, type MixerInput } from '../../../src/recorder/sound/index.ts';

/** An epoch time to begin at. */
export const START_MS = 1_700_000_000_000;
/** How far the mix is behind what has come. */
const DELAY_MS = 400;
const BLOCK_MS = 20;
const BLOCK = 48 * BLOCK_MS;

/** A number from 0 to 1, the same for each run. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/**
 * Something like speech: syllables of a voice with overtones and of noise, words with pauses; and the noise of a room.
 * `level` is that of the voice, 1 being about −22 LUFS.
 */
export function speech(seconds: number, level: number, seed: number): Float32Array {
  const next = random(seed);
  const out = new Float32Array(seconds * 48_000);
  const pitch = 100 + 100 * next();
  let at = 0;
  while (at < out.length) {
    const length = Math.round((0.12 + 0.15 * next()) * 48_000);
    const loud = level * (0.5 + 0.5 * next());
    const hiss = next() < 0.25;
    const glide = pitch * (0.9 + 0.3 * next());
    for (let i = 0; i < length && at + i < out.length; i += 1) {
      const shape = Math.sin((Math.PI * i) / length) ** 0.5;
      const phase = (2 * Math.PI * glide * i) / 48_000;
      let value = hiss ? 0.15 * (2 * next() - 1) : 0;
      if (!hiss) for (let k = 1; k <= 12; k += 1) value += (0.12 * Math.sin(k * phase)) / k ** 0.8;
      out[at + i] = loud * shape * value;
    }
    at += length + Math.round((next() < 0.15 ? 0.4 : 0.03) * 48_000);
  }
  for (let i = 0; i < out.length; i += 1) out[i]! += 0.0004 * (2 * next() - 1);
  return out;
}

export interface Source {
  /** One channel, in the sender's samples. */
  readonly sound: Float32Array | ((sample: number) => number);
  /** When it begins, seconds after the start. */
  readonly from?: number;
  readonly seconds?: number;
  /** How much faster than the wall clock the sender's is, parts per million. */
  readonly ppm?: number;
  /** Whether a packet (by its number) comes; and the milliseconds by which its time is wrong. */
  readonly comes?: (packet: number) => boolean;
  readonly jitterMs?: (packet: number) => number;
  readonly kind?: 'voice' | 'program';
}

/** Mixes as a recorder does: packets of 20 ms as they come, blocks by the clock. Gives interleaved stereo. */
export function mixed(
  seconds: number,
  sources: readonly Source[],
  eachBlock?: (inputs: readonly MixerInput[], ms: number) => void,
): Int16Array {
  const mixer = new Mixer();
  const inputs = sources.map(({ kind }) => mixer.add(1, kind));
  const sent = sources.map(() => 0);
  const out = new Int16Array(2 * seconds * 48_000);
  for (let ms = 0; ms < seconds * 1000 + DELAY_MS; ms += BLOCK_MS) {
    sources.forEach((source, i) => {
      const { sound, from = 0, ppm = 0, comes, jitterMs } = source;
      const length = typeof sound === 'function' ? (source.seconds ?? seconds) * 48_000 : sound.length;
      for (;;) {
        const packet = sent[i]!;
        const first = packet * BLOCK;
        const atMs = from * 1000 + first / 48 / (1 + ppm * 1e-6);
        if (first + BLOCK > length || atMs > ms) break;
        sent[i] = packet + 1;
        if (comes && !comes(packet)) continue;
        const pcm = Int16Array.from({ length: BLOCK }, (_, k) => {
          const value = typeof sound === 'function' ? sound(first + k) : sound[first + k]!;
          return Math.max(-32_768, Math.min(32_767, Math.round(value * 32_768)));
        });
        inputs[i]!.push(pcm, START_MS + atMs + (jitterMs?.(packet) ?? 0));
      }
    });
    if (ms < DELAY_MS) continue;
    const at = (ms - DELAY_MS) * 48;
    out.set(mixer.mix(START_MS + ms - DELAY_MS, BLOCK), 2 * at);
    eachBlock?.(inputs, ms - DELAY_MS);
  }
  return out;
}

/** Level of a part, in seconds, in decibel. */
export function level(mix: Int16Array, from: number, to: number): number {
  let sum = 0;
  const part = mix.subarray(2 * from * 48_000, 2 * to * 48_000);
  for (const value of part) sum += (value / 32_768) ** 2;
  return 10 * Math.log10(sum / part.length);
}
