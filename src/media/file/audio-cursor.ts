import { AUDIO_FRAME_TICKS, AUDIO_RUN_PACKETS, type EncodedMedia } from '../cache/media.ts';
import { SILENT_LEVEL } from '../encode/audio-level.ts';
import type { EncodedFrame } from '../types.ts';
import type { Cursor, CycleLength } from './cursor.ts';
import type { Passes } from './passes.ts';

const FRAME_US = 20_000;
/** 20 ms of digital silence: CELT full band, mono and stereo, one frame (RFC 6716 section 3.1, table 2). */
const SILENCE = { 1: Buffer.from('f8fffe', 'hex'), 2: Buffer.from('fcfffe', 'hex') } as const;
/**
 * How far the picture may be encoded beyond the sound before the sound counts as over. Files keep them within a second
 * or two of each other.
 */
export const INTERLEAVE_TICKS = 5 * 90_000;

/** Gives an Opus packet each 20 ms: the input's, and silence where its sound is shorter than its picture. */
export class AudioCursor implements Cursor {
  readonly #passes: Passes;
  readonly #loop: boolean;
  readonly #cycle: CycleLength;
  readonly #wake: () => void;
  #media: EncodedMedia;
  #packet = 0;
  #runIndex = -1;
  #frames: Buffer[] | undefined;
  #ahead: { run: number; frames: Buffer[] } | undefined;
  pass = 0;
  cycleStart = 0;

  constructor(options: { passes: Passes; loop: boolean; cycle: CycleLength; wake: () => void }) {
    this.#passes = options.passes;
    this.#loop = options.loop;
    this.#cycle = options.cycle;
    this.#wake = options.wake;
    this.#media = options.passes.first;
  }

  get passTicks(): number {
    return this.#packet * AUDIO_FRAME_TICKS;
  }

  get knownTicks(): number {
    return this.cycleStart + this.#media.audioTicks;
  }

  next(): number | 'waiting' | 'ended' {
    if (this.#packet < this.#media.audioPackets) return this.cycleStart + this.passTicks;
    if (!this.#media.complete) {
      return this.#soundIsOver() ? this.cycleStart + this.passTicks : 'waiting';
    }
    const cycle = this.#cycle(this.pass);
    // Silence until it is known how long the picture is.
    if (cycle === undefined || this.passTicks < cycle) return this.cycleStart + this.passTicks;
    if (!this.#loop) return 'ended';
    this.pass += 1;
    this.cycleStart += cycle;
    this.#packet = 0;
    this.#runIndex = -1;
    this.#frames = undefined;
    this.#media = this.#passes.pass(this.pass);
    return this.next();
  }

  take(toUs: (ticks: number) => number): EncodedFrame[] | undefined {
    const timestampUs = toUs(this.cycleStart + this.passTicks);
    const media = this.#media;
    let data: Buffer | undefined = SILENCE[media.audio?.channels ?? 1];
    let audioLevel = SILENT_LEVEL;
    if (this.#packet < media.audioPackets) {
      data = this.#read();
      if (!data) return undefined;
      audioLevel = media.audioLevelOf(this.#packet);
    }
    this.#packet += 1;
    return [{ kind: 'audio', layer: 0, data, keyframe: true, timestampUs, durationUs: FRAME_US, audioLevel }];
  }

  #read(): Buffer | undefined {
    const index = Math.floor(this.#packet / AUDIO_RUN_PACKETS);
    if (index !== this.#runIndex) {
      const run = this.#media.audioRuns[index];
      const ready = this.#ahead?.run === index ? this.#ahead.frames : run && this.#media.frames(run);
      if (!ready) {
        this.#load(index);
        return undefined;
      }
      this.#runIndex = index;
      this.#frames = ready;
      this.#ahead = undefined;
    }
    const at = this.#packet % AUDIO_RUN_PACKETS;
    // Half a second before the end of a run the next one is read.
    if (at === AUDIO_RUN_PACKETS / 2) this.#load(index + 1);
    return this.#frames?.[at];
  }

  #load(index: number): void {
    const media = this.#media;
    const run = media.audioRuns[index];
    if (!run) return;
    media.load(run).then(
      (frames) => {
        if (media !== this.#media) return;
        this.#ahead = { run: index, frames };
        this.#wake();
      },
      (error: unknown) => media.emit('failed', error instanceof Error ? error : new Error(String(error))),
    );
  }

  #soundIsOver(): boolean {
    return this.#media.video !== undefined && this.#media.videoTicks > this.passTicks + INTERLEAVE_TICKS;
  }
}
