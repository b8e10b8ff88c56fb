/** The sound of a stored track on its way into the mix. */
import { SoundInput } from '../live/sound-input.ts';
import type { Speech } from '../live/speech.ts';
import type { Mixer } from '../sound/index.ts';
import type { StoredTrack } from '../tracks/index.ts';
import { StoredFrames } from './stored-frames.ts';

/** Sound is in the mixer so long before it is heard: the loudness of who begins to speak is known by then. */
const AHEAD_MS = 300;
/** Of digital silence, −dBov. */
const SILENCE = 127;

export class StoredSound {
  readonly #frames: StoredFrames;
  readonly #input: SoundInput;
  #endsAt = Number.POSITIVE_INFINITY;

  constructor(track: StoredTrack, mixer: Mixer, speech: Speech) {
    this.#frames = new StoredFrames(track);
    this.#input = new SoundInput(mixer, track.source, (pcm, atMs) => {
      if (track.source === 'microphone') speech.heard(track.participantId, levelOf(pcm), atMs);
    });
  }

  /** Puts what is heard up to a wall time into the mix; gives whether there is more to come. */
  async advance(wallMs: number): Promise<boolean> {
    for (;;) {
      const next = await this.#frames.peek();
      if (next === undefined || next.capturedAt > wallMs + AHEAD_MS)
        return next !== undefined || wallMs < this.#endsAt;
      this.#frames.drop();
      this.#endsAt = next.capturedAt + AHEAD_MS;
      const { data, keyframe, timeMs, capturedAt, rtpTimestamp, gapBefore } = next;
      const times = { mediaTimeMs: timeMs, captureTimeMs: capturedAt, receivedAtMs: capturedAt };
      this.#input.write({ data, keyframe, rtpTimestamp, gapBefore, ...times }, capturedAt);
      await this.#input.ready;
    }
  }

  async close(): Promise<void> {
    this.#input.close();
    await this.#frames.close();
  }
}

/** Mean level of samples as senders say it, −dBov (RFC 6464). */
function levelOf(pcm: Int16Array): number {
  let squares = 0;
  for (const sample of pcm) squares += sample * sample;
  if (squares === 0) return SILENCE;
  return Math.min(SILENCE, -10 * Math.log10(squares / pcm.length / 32_768 ** 2));
}
