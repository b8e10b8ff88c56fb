/** Cuts encoded pictures and sound into fragments at whole seconds of the output. */
import { FRAGMENT_SECONDS } from './settings.ts';
import type { AudioPackets, CodedPicture, CodedSound, Fragment, FragmentWriter } from './types.ts';
import { SOUND_RATE } from './types.ts';

/** Where a recording goes on that was begun before. */
export interface FragmentPosition {
  /** Number of the next fragment, from 1. */
  readonly sequence: number;
  /** Output time at which it begins: whole seconds. */
  readonly second: number;
}

const FRAGMENT_SAMPLES = SOUND_RATE * FRAGMENT_SECONDS;

export class Fragmenter {
  readonly #writer: FragmentWriter;
  readonly #audio: AudioPackets;
  /** Pictures in a fragment; 0 without pictures. */
  readonly #picturesEach: number;
  readonly #onFragment: (fragment: Fragment) => void;
  #pictures: CodedPicture[] = [];
  #sounds: CodedSound[] = [];
  #sequence: number;
  /** The fragment that is being filled, counted from the beginning of the output. */
  #index: number;
  #nextPicture: number;
  #nextSample: number;

  constructor(options: {
    writer: FragmentWriter;
    audio: AudioPackets;
    fps: number | undefined;
    position: FragmentPosition;
    onFragment: (fragment: Fragment) => void;
  }) {
    this.#writer = options.writer;
    this.#audio = options.audio;
    this.#picturesEach = (options.fps ?? 0) * FRAGMENT_SECONDS;
    this.#onFragment = options.onFragment;
    this.#sequence = options.position.sequence;
    this.#index = options.position.second / FRAGMENT_SECONDS;
    this.#nextPicture = this.#index * this.#picturesEach;
    this.#nextSample = this.#index * FRAGMENT_SAMPLES;
  }

  /** The picture after the last one in decoding order. */
  get nextPicture(): number {
    return this.#nextPicture;
  }

  /** The sample after the last one. */
  get nextSample(): number {
    return this.#nextSample;
  }

  /** Takes a picture that follows on the last; what lies before that is left out. */
  picture(picture: CodedPicture): void {
    if (picture.decode < this.#nextPicture) return;
    this.#nextPicture = picture.decode + 1;
    this.#pictures.push(picture);
    this.#cut();
  }

  /** Takes a packet of sound as `picture` takes pictures. */
  sound(sound: CodedSound): void {
    if (sound.at < this.#nextSample) return;
    this.#nextSample = sound.at + this.#audio.samples;
    this.#sounds.push(sound);
    this.#cut();
  }

  /** Gives out what is left as the last fragment. */
  finish(): void {
    while (this.#pictures.length + this.#sounds.length > 0) this.#give(this.#index + 1);
  }

  #cut(): void {
    while (
      this.#nextSample >= (this.#index + 1) * FRAGMENT_SAMPLES &&
      (this.#picturesEach === 0 || this.#nextPicture >= (this.#index + 1) * this.#picturesEach)
    ) {
      this.#give(this.#index + 1);
    }
  }

  /** Gives out what lies before the beginning of a fragment. */
  #give(next: number): void {
    const isOf = (at: number, each: number) => at < next * each;
    const pictures = this.#pictures.filter(({ decode }) => isOf(decode, this.#picturesEach));
    const sounds = this.#sounds.filter(({ at }) => isOf(at, FRAGMENT_SAMPLES));
    this.#pictures = this.#pictures.slice(pictures.length);
    this.#sounds = this.#sounds.slice(sounds.length);
    const index = this.#index;
    this.#index = next;
    if (pictures.length + sounds.length === 0) return;
    const last = this.#pictures.length + this.#sounds.length === 0;
    const end = {
      picture: last ? this.#nextPicture : next * this.#picturesEach,
      sample: (sounds.at(-1)?.at ?? 0) + this.#audio.samples,
    };
    const pictureMs = (FRAGMENT_SECONDS * 1000) / Math.max(1, this.#picturesEach);
    const endMs = this.#picturesEach > 0 ? end.picture * pictureMs : (end.sample * 1000) / SOUND_RATE;
    const decodeTimeMs = index * FRAGMENT_SECONDS * 1000;
    const sequence = this.#sequence;
    this.#sequence += 1;
    this.#onFragment({
      sequence,
      decodeTimeMs,
      durationMs: last ? Math.max(1, endMs - decodeTimeMs) : FRAGMENT_SECONDS * 1000,
      keyframe: pictures[0]?.keyframe ?? this.#picturesEach === 0,
      bytes: this.#writer.fragment({ sequence, pictures, sounds, end }),
    });
  }
}
