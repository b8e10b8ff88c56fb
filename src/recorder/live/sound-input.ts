/** The sound of a received track on its way into the mix. */
import type { ReceivedFrame } from '../../client/types.ts';
import { OpusTrackDecoder } from '../../media/opus/index.ts';
import type { MediaSource } from '../../protocol/model.ts';
import type { Mixer, MixerInput } from '../sound/index.ts';

/** Opus counts 48 samples a millisecond, whatever its sender's rate. */
const SAMPLES_PER_MS = 48;
/** Of a packet's first byte: it has two channels, RFC 6716 section 3.1. */
const STEREO = 0x04;
/** Frames that come while the decoder is being made. */
const MAX_EARLY = 50;

interface Early {
  readonly frame: ReceivedFrame;
  readonly capturedAt: number;
}

export class SoundInput {
  readonly #mixer: Mixer;
  readonly #source: MediaSource;
  readonly #onSound: ((pcm: Int16Array, atMs: number) => void) | undefined;
  #decoder: OpusTrackDecoder | undefined;
  #input: MixerInput | undefined;
  #early: Early[] | undefined;
  #opening: Promise<void> = Promise.resolve();
  #closed = false;

  /** @param onSound hears of all decoded sound, with the wall time of its first sample */
  constructor(mixer: Mixer, source: MediaSource, onSound?: (pcm: Int16Array, atMs: number) => void) {
    this.#mixer = mixer;
    this.#source = source;
    this.#onSound = onSound;
  }

  /** Resolves when what was written so far is in the mix. */
  get ready(): Promise<void> {
    return this.#opening;
  }

  /** Takes a packet with the wall time of its first sample. */
  write(frame: ReceivedFrame, capturedAt: number): void {
    if (this.#closed) return;
    if (this.#decoder !== undefined) this.#decode(this.#decoder, frame, capturedAt);
    else if (this.#early === undefined) this.#opening = this.#open({ frame, capturedAt });
    else if (this.#early.length < MAX_EARLY) this.#early.push({ frame, capturedAt });
  }

  /** The sender's own sound is heard to its end; nothing of the track comes after it. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#decoder?.close();
    if (this.#input !== undefined) this.#mixer.remove(this.#input);
  }

  /** The first packet says whether there is more than one channel to mix. */
  async #open(first: Early): Promise<void> {
    this.#early = [first];
    const channels = (first.frame.data[0] ?? 0) & STEREO ? 2 : 1;
    const decoder = await OpusTrackDecoder.create(channels);
    if (this.#closed) {
      decoder.close();
      return;
    }
    this.#decoder = decoder;
    this.#input = this.#mixer.add(channels, this.#source === 'screen-audio' ? 'program' : 'voice');
    for (const { frame, capturedAt } of this.#early.splice(0)) this.#decode(decoder, frame, capturedAt);
  }

  #decode(decoder: OpusTrackDecoder, frame: ReceivedFrame, capturedAt: number): void {
    for (const { pcm, rtpTimestamp } of decoder.decode(frame)) {
      // What was lost or paused before the packet comes out with it, and belongs before it.
      const behind = ((rtpTimestamp - frame.rtpTimestamp) | 0) / SAMPLES_PER_MS;
      this.#input?.push(pcm, capturedAt + behind);
      this.#onSound?.(pcm, capturedAt + behind);
    }
  }
}
