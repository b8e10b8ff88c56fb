import { fromDecibel } from './decibel.ts';
import { Ducking } from './ducking.ts';
import { TruePeakLimiter } from './limiter.ts';
import { SAMPLES_PER_MS } from './media-clock.ts';
import { MixerInput, type MixerInputKind } from './mixer-input.ts';

/**
 * Highest true peak of the mix, decibel below full scale. AAC at 128 kbit/s puts up to 1.5 dB on top of a limited peak,
 * and −1 dBTP is what may come out of a decoder.
 */
const CEILING_DB = -2;
/** Times that differ by less are the rounding of a clock. */
const SAME_TIME = 2 * SAMPLES_PER_MS;
const FULL_SCALE = 32_767;

interface Channel {
  readonly input: MixerInput;
  readonly ducking: Ducking;
}

/**
 * Mixes the sound of all tracks to stereo by the recorder's clock. Each speaker is brought to the same loudness, who
 * only listens is turned down while somebody speaks, and no true peak goes over the ceiling. Nothing waits for a track:
 * what is not there when its time has come is not heard.
 */
export class Mixer {
  readonly #channels = new Map<MixerInput, Channel>();
  #limiter = new TruePeakLimiter(fromDecibel(CEILING_DB));
  /** Wall time in samples of what is read next. */
  #next: number | undefined;

  /** A screen's or a film's sound is a `program`: it never makes anybody quieter. */
  add(channels: 1 | 2, kind: MixerInputKind = 'voice'): MixerInput {
    const input = new MixerInput(channels, kind);
    this.#channels.set(input, { input, ducking: new Ducking() });
    return input;
  }

  remove(input: MixerInput): void {
    this.#channels.delete(input);
  }

  /**
   * The mix from a wall time on, interleaved stereo at 48 kHz. Calls follow on each other; another time than that of
   * the end of the last one is a pause.
   *
   * @param fromMs milliseconds since the epoch, far enough back that the tracks' sound has come
   */
  mix(fromMs: number, samples: number): Int16Array {
    const wall = fromMs * SAMPLES_PER_MS;
    const ahead = TruePeakLimiter.latency;
    if (this.#next === undefined || Math.abs(this.#next - ahead - wall) > SAME_TIME) this.#begin(wall);
    const [left, right] = this.#read(samples);
    const mixed = new Int16Array(2 * samples);
    for (let i = 0; i < samples; i += 1) {
      mixed[2 * i] = Math.round(left[i]! * FULL_SCALE);
      mixed[2 * i + 1] = Math.round(right[i]! * FULL_SCALE);
    }
    return mixed;
  }

  /** Fills the limiter with what it looks ahead at. */
  #begin(wall: number): void {
    for (const { input } of this.#channels.values()) input.seek();
    this.#limiter = new TruePeakLimiter(fromDecibel(CEILING_DB));
    this.#next = wall;
    this.#read(TruePeakLimiter.latency);
  }

  #read(samples: number): [Float32Array, Float32Array] {
    const left = new Float32Array(samples);
    const right = new Float32Array(samples);
    const wall = this.#next!;
    this.#next = wall + samples;
    const channels = [...this.#channels.values()];
    const speaking = new Set(channels.filter(({ input }) => input.speaksAt(wall + samples)));
    for (const channel of channels) {
      const { input, ducking } = channel;
      const from = fromDecibel(ducking.db);
      const speaks = speaking.has(channel);
      ducking.advance(samples, { speaks, othersSpeak: speaking.size > (speaks ? 1 : 0) });
      const sound = input.read(wall, samples, from, fromDecibel(ducking.db));
      if (sound === undefined) continue;
      const [first, second = first] = sound;
      for (let i = 0; i < samples; i += 1) {
        left[i]! += first![i]!;
        right[i]! += second![i]!;
      }
    }
    this.#limiter.process(left, right);
    return [left, right];
  }
}
