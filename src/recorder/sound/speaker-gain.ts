/** What a speaker is raised or lowered by, so that all are heard alike. */
import { SpeechLoudness } from './speech-loudness.ts';

/** Integrated loudness that every speaker is brought to, LUFS. */
export const TARGET_LUFS = -16;
/** A speaker who is quieter than that by more is mostly noise, and would be heard as such. */
const MOST_DB = 30;
const LEAST_DB = -30;
/** A first estimate is followed within its first words, later ones so slowly that nobody hears a gain at work. */
const FIRST_WINDOWS = 30;
const FIRST_DB_PER_SECOND = 60;
const DB_PER_SECOND = 3;
/** Too loud by more than that is mended at once. */
const TOO_LOUD_DB = 4;
/** Speech has pauses. What has none within two seconds was noise, unless it is as loud as what is meant to be heard. */
const NOISE_RANGE_DB = 6;
const SURELY_MEANT = -35;
const RATE = 48_000;

export class SpeakerGain {
  #loudness = new SpeechLoudness();
  #db = 0;
  #fresh = true;

  get db(): number {
    return this.#db;
  }

  /** Takes the K-weighted mean square of 100 ms, and whether they are speech; only then do they count. */
  block(meanSquare: number, speech: boolean): void {
    this.#loudness.block(meanSquare, speech);
  }

  /** Takes the loudness of what is always there: what was measured may turn out to have been that. */
  background(floor: number): void {
    const { integrated } = this.#loudness;
    if (integrated === undefined || integrated > SURELY_MEANT || floor < integrated - NOISE_RANGE_DB) return;
    this.#loudness = new SpeechLoudness();
  }

  /** Lets the gain follow for so many samples of the mix. */
  advance(samples: number): void {
    const { integrated, windows } = this.#loudness;
    if (integrated === undefined) {
      this.#fresh = true;
      this.#db *= Math.exp(-samples / RATE);
      return;
    }
    const wanted = Math.min(MOST_DB, Math.max(LEAST_DB, TARGET_LUFS - integrated));
    if (this.#fresh) {
      // Nothing of this speaker has been heard: the estimate is there before the first word is.
      this.#fresh = false;
      this.#db = wanted;
      return;
    }
    const hurry = windows < FIRST_WINDOWS || this.#db - wanted > TOO_LOUD_DB;
    const speed = hurry ? FIRST_DB_PER_SECOND : DB_PER_SECOND;
    const most = (speed * samples) / RATE;
    this.#db += Math.min(most, Math.max(-most, wanted - this.#db));
  }
}
