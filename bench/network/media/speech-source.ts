/** A microphone: packets of speech while its owner speaks, and the rare ones of DTX while he is silent. */
import { randomBytes } from 'node:crypto';
import type { EncodedSource, SourceSink } from '../../../src/media/types.ts';

const FRAME_MS = 20;
/** libopus sends a packet this often while there is nothing to hear. */
const DTX_MS = 400;
/** Frames that a late timer makes up for; longer than the rest of a pause of DTX. */
const MOST_BEHIND = 25;
/** 32 kbit/s. */
const SPEECH_BYTES = 80;
/** One frame of 20 ms, SILK wide band (RFC 6716 section 3.1). */
const TOC = 0x48;
/** −dBov (RFC 6464): somebody close to the microphone, and nobody. */
const SPEECH_LEVEL = 25;
const SILENCE_LEVEL = 127;

export class SpeechSource implements EncodedSource {
  readonly audio = { codec: 'opus', channels: 1 } as const;
  readonly #speech = Buffer.concat([Buffer.from([TOC]), randomBytes(SPEECH_BYTES - 1)]);
  readonly #silence = Buffer.from([TOC]);
  #sink: SourceSink | undefined;
  #speaking = false;
  #startedAt = 0;
  /** Frames of 20 ms since the start. */
  #count = 0;
  #timer: NodeJS.Timeout | undefined;

  set speaking(speaking: boolean) {
    if (speaking === this.#speaking) return;
    this.#speaking = speaking;
    this.#count = Math.max(this.#count, Math.floor((performance.now() - this.#startedAt) / FRAME_MS));
    this.#schedule();
  }

  start(sink: SourceSink): void {
    this.#sink = sink;
    // Those that start together must not send together.
    this.#startedAt = performance.now() - Math.random() * DTX_MS;
    this.#schedule();
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#sink === undefined) return;
    const now = performance.now() - this.#startedAt;
    const step = (this.#speaking ? FRAME_MS : DTX_MS) / FRAME_MS;
    // A late timer sends what is due, as a sound card does; what was silence is not made up for.
    const behind = now / FRAME_MS - this.#count > MOST_BEHIND;
    const next = behind ? Math.floor(now / FRAME_MS) : this.#count + step;
    this.#timer = setTimeout(() => this.#send(next), Math.max(0, next * FRAME_MS - now));
  }

  #send(count: number): void {
    this.#count = count;
    this.#sink?.frame({
      kind: 'audio',
      layer: 0,
      data: this.#speaking ? this.#speech : this.#silence,
      keyframe: true,
      timestampUs: count * FRAME_MS * 1000,
      durationUs: FRAME_MS * 1000,
      audioLevel: this.#speaking ? SPEECH_LEVEL : SILENCE_LEVEL,
    });
    this.#schedule();
  }

  requestKeyFrame(): void {}

  setLayerActive(): void {}

  close(): Promise<void> {
    this.#sink = undefined;
    clearTimeout(this.#timer);
    return Promise.resolve();
  }
}
