/** Who speaks, for people to look at: slow, ordered, and without flapping. Pure; the caller has the clock. */

/** The audio level is measured in a sliding window of this length. */
export const LEVEL_WINDOW_MS = 300;
/** Mean level of a window, in dBov, from which somebody counts as talking: quiet talk is −45, a quiet room under −60. */
export const VOICE_DBOV = -50;
/** Nobody enters the list, or the first place in it, who did not talk for this long. */
export const SUSTAIN_MS = 2_000;
/** Silence between words and sentences that does not end a talk; longer ones begin it anew. */
export const PAUSE_MS = 500;
/** The active speaker is silent for this long before somebody who talks beside him takes the first place. */
export const HANDOVER_MS = 1_000;
/** By how much louder somebody must stay, for {@link SUSTAIN_MS}, to displace one who still talks: twice the amplitude. */
export const MARGIN_DB = 6;
/**
 * Who fell silent stays in the list for this long. People pause for seconds to think or to turn a page, and a picture that
 * leaves in every pause is worse than one that stays too long; after ten seconds nobody waits for the rest any more.
 */
export const KEEP_MS = 10_000;
export const MAX_SPEAKERS = 4;
/** Time constant of the smoothed level by which talkers are compared. */
const SMOOTHING_MS = 1_000;

interface Talker {
  readonly id: string;
  /** Smoothed, dBov. */
  level: number;
  /** Last window with voice. */
  voicedAt: number;
  /** Beginning of the present talk. */
  since: number;
}

/** A talker who is louder than another, and since when. */
interface Challenge {
  readonly from: string;
  readonly against: string;
  readonly since: number;
}

export class SpeakerDetector {
  readonly #talkers = new Map<string, Talker>();
  #speakers: readonly string[] = [];
  #leadChangedAt = -Infinity;
  #leadChallenge: Challenge | undefined;
  #placeChallenge: Challenge | undefined;

  /** Ids, the active speaker first, at most {@link MAX_SPEAKERS}. */
  get speakers(): readonly string[] {
    return this.#speakers;
  }

  /** Whether time alone may still change something. */
  get idle(): boolean {
    return this.#talkers.size === 0;
  }

  /**
   * Takes the levels of one position of the window; who is not in it was silent. To be called at least every
   * {@link PAUSE_MS} while anybody talks.
   *
   * @param levels dBov by id, −127 to 0
   * @returns whether {@link speakers} changed
   */
  report(levels: ReadonlyMap<string, number>, now: number): boolean {
    for (const [id, level] of levels) if (level >= VOICE_DBOV) this.#heard(id, level, now);
    for (const [id, { voicedAt }] of this.#talkers) if (now - voicedAt >= KEEP_MS) this.#talkers.delete(id);
    const list = this.#speakers.filter((id) => this.#talkers.has(id));
    this.#enter(list, now);
    this.#lead(list, now);
    if (list[0] !== this.#speakers[0]) this.#leadChangedAt = now;
    return this.#replace(list);
  }

  /** Forgets somebody who was muted or left; says whether {@link speakers} changed. */
  remove(id: string): boolean {
    this.#talkers.delete(id);
    return this.#replace(this.#speakers.filter((each) => each !== id));
  }

  #replace(list: readonly string[]): boolean {
    const changed = list.length !== this.#speakers.length || list.some((id, i) => id !== this.#speakers[i]);
    this.#speakers = list;
    return changed;
  }

  #heard(id: string, level: number, now: number): void {
    const talker = this.#talkers.get(id);
    if (talker === undefined) {
      this.#talkers.set(id, { id, level, voicedAt: now, since: now });
      return;
    }
    const elapsed = now - talker.voicedAt;
    if (elapsed > PAUSE_MS) talker.since = now;
    talker.level += (level - talker.level) * (1 - Math.exp(-elapsed / SMOOTHING_MS));
    talker.voicedAt = now;
  }

  /** Lets those in who talked for long enough: to the end of the list, in the place of the one who is silent longest. */
  #enter(list: string[], now: number): void {
    const candidates = this.#sustained(now).filter(({ id }) => !list.includes(id));
    let challenged = false;
    for (const candidate of candidates) {
      if (list.length < MAX_SPEAKERS) {
        list.push(candidate.id);
        continue;
      }
      const members = list.map((id) => this.#talkers.get(id)!);
      const silent = members.filter((member) => !isTalking(member, now));
      const oldest = silent.sort((a, b) => a.voicedAt - b.voicedAt)[0];
      if (oldest !== undefined) {
        list.splice(list.indexOf(oldest.id), 1);
        list.push(candidate.id);
        continue;
      }
      // All talk. The active speaker is displaced by the other rule only.
      const quietest = members.slice(1).sort((a, b) => a.level - b.level)[0]!;
      if (candidate.level < quietest.level + MARGIN_DB) continue;
      challenged = true;
      this.#placeChallenge = challenge(this.#placeChallenge, candidate.id, quietest.id, now);
      if (now - this.#placeChallenge.since < SUSTAIN_MS) break;
      list.splice(list.indexOf(quietest.id), 1, candidate.id);
    }
    if (!challenged) this.#placeChallenge = undefined;
  }

  /** Decides on the first place. */
  #lead(list: string[], now: number): void {
    const active = list[0] === undefined ? undefined : this.#talkers.get(list[0]);
    const [loudest] = this.#sustained(now).filter(({ id }) => id !== active?.id && list.includes(id));
    if (active === undefined || loudest === undefined) {
      this.#leadChallenge = undefined;
      return;
    }
    const louder = loudest.level >= active.level + MARGIN_DB;
    this.#leadChallenge = louder ? challenge(this.#leadChallenge, loudest.id, active.id, now) : undefined;
    const silent = now - active.voicedAt >= HANDOVER_MS;
    const beaten = this.#leadChallenge !== undefined && now - this.#leadChallenge.since >= SUSTAIN_MS;
    if (!(silent || beaten) || now - this.#leadChangedAt < SUSTAIN_MS) return;
    list.splice(list.indexOf(loudest.id), 1);
    list.unshift(loudest.id);
    this.#leadChallenge = undefined;
  }

  /** Those who have been talking for long enough, the loudest first. */
  #sustained(now: number): Talker[] {
    return [...this.#talkers.values()]
      .filter((talker) => isTalking(talker, now) && talker.voicedAt - talker.since >= SUSTAIN_MS)
      .sort((a, b) => b.level - a.level);
  }
}

function isTalking({ voicedAt }: Talker, now: number): boolean {
  return now - voicedAt <= PAUSE_MS;
}

function challenge(current: Challenge | undefined, from: string, against: string, now: number): Challenge {
  return current?.from === from && current.against === against ? current : { from, against, since: now };
}
