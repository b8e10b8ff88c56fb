import { fromDecibel, loudnessOf } from './decibel.ts';
import { KWeighting } from './k-weighting.ts';
import { MediaClock, SAMPLES_PER_MS } from './media-clock.ts';
import { RING_SAMPLES, SampleRing } from './sample-ring.ts';
import { resample, TAPS, TAPS_BEFORE } from './sinc.ts';
import { SpeakerGain } from './speaker-gain.ts';
import { SpeechDetector } from './speech-detector.ts';

/** What the detector looks at, and how many of them the loudness is measured over. */
const PIECE_SAMPLES = 20 * SAMPLES_PER_MS;
const PIECES_A_BLOCK = 5;
/** Longer steps are another beginning and not the scatter of times. */
const STEP_SAMPLES = 25 * SAMPLES_PER_MS;
/** Where sound begins and ends without being silent. */
const FADE_SAMPLES = 5 * SAMPLES_PER_MS;
/** What the clock has wandered is made up for by no more than so: 8 cents, which nobody hears. */
const MAX_SLEW = 0.005;

export type MixerInputKind = 'voice' | 'program';

/** The sound of one track on its way into the mix. */
export class MixerInput {
  readonly kind: MixerInputKind;
  readonly channels: 1 | 2;
  readonly #rings: readonly SampleRing[];
  readonly #weightings: readonly KWeighting[];
  readonly #clock = new MediaClock();
  readonly #detector = new SpeechDetector();
  readonly #gain = new SpeakerGain();
  /** Samples that came, numbered as they came: the sender's clock. */
  #end = 0;
  /** First sample that is there. */
  #start = 0;
  #pieceEnergy = 0;
  #pieceSamples = 0;
  #blockEnergy = 0;
  #blockPieces = 0;
  /** Place, with its fraction, that is read next; `undefined` while nothing is heard. */
  #place: number | undefined;
  #incoming: Float32Array[] = [];
  #outgoing: Float32Array[] = [];
  #window = new Float32Array(0);

  constructor(channels: 1 | 2, kind: MixerInputKind) {
    this.channels = channels;
    this.kind = kind;
    const each = <T>(make: () => T): T[] => Array.from({ length: channels }, make);
    this.#rings = each(() => new SampleRing());
    this.#weightings = each(() => new KWeighting());
  }

  /** Parts by which the sender's clock is slow. */
  get drift(): number {
    return this.#clock.drift;
  }

  /** What the speaker's sound is raised or lowered by, decibel. */
  get gainDb(): number {
    return this.#gain.db;
  }

  /**
   * Takes sound, interleaved at 48 kHz.
   *
   * @param atMs wall clock of the first sample, milliseconds since the epoch
   */
  push(pcm: Int16Array, atMs: number): void {
    if (pcm.length === 0) return;
    const wall = atMs * SAMPLES_PER_MS;
    const late = this.#align(wall);
    const count = pcm.length / this.channels - late;
    if (count <= 0) return;
    this.#clock.observe(this.#end, wall + late);
    this.#split(pcm.subarray(late * this.channels), count);
    this.#incoming.forEach((channel, i) => {
      this.#rings[i]!.write(this.#end, channel, count);
    });
    this.#measure(count);
    this.#end += count;
    this.#start = Math.max(this.#start, this.#end - RING_SAMPLES);
  }

  /** Forgets where it was in time: the mix goes on at another. */
  seek(): void {
    this.#place = undefined;
  }

  /** Whether this voice speaks at a wall time in samples. */
  speaksAt(wall: number): boolean {
    return this.kind === 'voice' && this.#detector.speaksAt(this.#clock.mediaAt(wall));
  }

  /**
   * Reads what is heard from a wall time (in samples) on, with the speaker's gain and another on top that goes from one
   * factor to another. `undefined` when nothing is heard.
   */
  read(wall: number, count: number, from: number, to: number): readonly Float32Array[] | undefined {
    const target = this.#clock.mediaAt(wall);
    const begins = this.#place === undefined;
    if (this.#place === undefined || Math.abs(target - this.#place) > STEP_SAMPLES) this.#place = target;
    const place = this.#place;
    const wanted = (this.#clock.mediaAt(wall + count) - place) / count;
    const step = Math.min(1 + MAX_SLEW, Math.max(1 - MAX_SLEW, wanted));
    // Samples before the first that is there, and those up to the last, of which the fade needs some.
    const silent = Math.max(0, Math.ceil((this.#start + TAPS_BEFORE - place) / step));
    const there = Math.floor((this.#end - TAPS_BEFORE - place) / step);
    const gainFrom = fromDecibel(this.#gain.db) * from;
    this.#gain.advance(count);
    if (silent >= count || there <= silent) {
      if (there <= 0) this.#place = undefined;
      else this.#place = place + count * step;
      return undefined;
    }
    const ends = there < count + FADE_SAMPLES;
    const heard = Math.min(there, count);
    this.#resample(place + silent * step, step, silent, heard, count);
    const gainTo = fromDecibel(this.#gain.db) * to;
    for (const channel of this.#outgoing) {
      const slope = (gainTo - gainFrom) / count;
      for (let i = silent; i < heard; i += 1) channel[i]! *= gainFrom + slope * i;
      if (begins || silent > 0) fade(channel, silent, Math.min(heard, silent + FADE_SAMPLES), 0, 1);
      if (ends) fade(channel, Math.max(silent, heard - FADE_SAMPLES), heard, 1, 0);
    }
    this.#place = ends ? undefined : place + count * step;
    return this.#outgoing;
  }

  /**
   * Makes the samples follow on the ones before at their time: silence for a gap, less of the end for an overlap. So the
   * clock needs no step. Answers how many of the samples come too late to be heard.
   */
  #align(wall: number): number {
    const step = Math.round(this.#clock.deviation(this.#end, wall));
    if (Math.abs(step) < STEP_SAMPLES) return 0;
    const end = this.#end + step;
    if (step > 0) {
      this.#ramp(this.#end - FADE_SAMPLES, 1, 0);
      for (const ring of this.#rings) ring.silence(this.#end, step);
      this.#end = end;
      return 0;
    }
    this.#end = Math.min(
      this.#end,
      Math.max(end, Math.ceil((this.#place ?? this.#start) + 2 * FADE_SAMPLES)),
    );
    this.#ramp(this.#end - FADE_SAMPLES, 1, 0);
    return this.#end - end;
  }

  #ramp(at: number, from: number, to: number): void {
    for (const ring of this.#rings) ring.ramp(at, FADE_SAMPLES, from, to);
  }

  #split(pcm: Int16Array, count: number): void {
    if ((this.#incoming[0]?.length ?? 0) < count) {
      this.#incoming = this.#rings.map(() => new Float32Array(count));
    }
    const { channels } = this;
    this.#incoming.forEach((channel, c) => {
      for (let i = 0; i < count; i += 1) channel[i] = pcm[i * channels + c]! / 32_768;
    });
  }

  /** Measures what has just come: pieces of 20 ms for the detector, blocks of 100 ms for the loudness. */
  #measure(count: number): void {
    for (let at = 0; at < count; ) {
      const until = Math.min(count, at + PIECE_SAMPLES - this.#pieceSamples);
      this.#weightings.forEach((weighting, c) => {
        this.#pieceEnergy += weighting.energy(this.#incoming[c]!, at, until);
      });
      this.#pieceSamples += until - at;
      at = until;
      if (this.#pieceSamples === PIECE_SAMPLES) this.#piece(this.#end + at);
    }
  }

  #piece(end: number): void {
    // One channel is heard from both sides.
    const meanSquare = (this.#pieceEnergy * (this.channels === 1 ? 2 : 1)) / PIECE_SAMPLES;
    this.#pieceEnergy = 0;
    this.#pieceSamples = 0;
    this.#detector.piece(loudnessOf(meanSquare), end);
    this.#gain.background(this.#detector.floor);
    this.#blockEnergy += meanSquare;
    this.#blockPieces += 1;
    if (this.#blockPieces < PIECES_A_BLOCK) return;
    const speaks = this.#detector.speaksAt(end - 1);
    this.#gain.block(this.#blockEnergy / PIECES_A_BLOCK, speaks);
    this.#blockEnergy = 0;
    this.#blockPieces = 0;
  }

  #resample(place: number, step: number, silent: number, heard: number, count: number): void {
    const first = Math.floor(place) - TAPS_BEFORE;
    const needed = Math.ceil((heard - silent) * step) + 2 * TAPS;
    if (this.#window.length < needed) this.#window = new Float32Array(needed);
    if ((this.#outgoing[0]?.length ?? 0) !== count) {
      this.#outgoing = this.#rings.map(() => new Float32Array(count));
    }
    this.#rings.forEach((ring, c) => {
      const out = this.#outgoing[c]!;
      ring.read(first, this.#window, needed);
      out.fill(0);
      resample(this.#window, place - first, step, out.subarray(silent), heard - silent);
    });
  }
}

function fade(channel: Float32Array, start: number, end: number, from: number, to: number): void {
  for (let i = start; i < end; i += 1)
    channel[i]! *= from + ((to - from) * (i - start + 0.5)) / (end - start);
}
