/**
 * Who gets an audio slot: decided packet by packet, because a speaker is to be heard from his first word on, and not
 * after the two seconds that the display waits. Pure; the caller has the clock.
 */

/** Level of a packet, dBov, from which it is voice: it may take a slot from somebody. */
export const VOICE_DBOV = -50;
/** Level from which it is a sound: it may take a free slot, so that the soft beginning of a word is not lost. */
export const SOUND_DBOV = -70;
/** Somebody who was quiet for this long gives his slot to a voice; pauses between words are shorter. */
export const HOLD_MS = 400;
/** In a full house a slot cannot be taken from one who talks before he has had it for this long. */
export const TENURE_MS = 2_000;
/** How much louder, and for how long, one must be to displace another who talks. */
export const MARGIN_DB = 6;
export const CHALLENGE_MS = 500;
/** A slot without a sound for this long is freed: silence is not worth sending to everybody. */
export const RELEASE_MS = 5_000;
/** Time constants, when it rises and when it falls, of the level by which voices are compared; its floor, dBov. */
const ATTACK_MS = 100;
const DECAY_MS = 300;
const FLOOR_DBOV = SOUND_DBOV;

interface Voice {
  readonly id: string;
  /** Sound of a screen: a voice does not displace it. */
  readonly priority: boolean;
  /** Smoothed, dBov. */
  level: number;
  packetAt: number;
  voicedAt: number;
  soundAt: number;
  /** Since when it has been louder than the quietest slot by the margin. */
  louderSince: number | undefined;
}

interface Slot {
  voice: Voice | undefined;
  /** When it was taken or freed. */
  since: number;
}

export class SlotAssigner {
  readonly #slots: Slot[];
  readonly #voices = new Map<string, Voice>();

  constructor(slots: number) {
    this.#slots = Array.from({ length: slots }, () => ({ voice: undefined, since: -Infinity }));
  }

  /** Id of each slot's occupant. */
  get occupants(): (string | undefined)[] {
    return this.#slots.map(({ voice }) => voice?.id);
  }

  /** When the voice was last loud enough to be one; `-Infinity` if never. */
  voicedAt(id: string): number {
    return this.#voices.get(id)?.voicedAt ?? -Infinity;
  }

  /**
   * Takes a packet's level, dBov, −127 to 0.
   *
   * @returns the slot in which the packet is to be sent; this may have changed {@link occupants}.
   */
  packet(id: string, level: number, now: number, priority = false): number | undefined {
    const voice = this.#hear(id, level, now, priority);
    const held = this.#slots.findIndex((slot) => slot.voice === voice);
    if (held >= 0) return held;
    const taken = this.#choose(voice, level, now);
    if (taken === undefined) return undefined;
    voice.louderSince = undefined;
    const slot = this.#slots[taken]!;
    slot.voice = voice;
    slot.since = now;
    return taken;
  }

  /** Frees the slots of those who have been silent for long; says whether there were any. */
  expire(now: number): boolean {
    let freed = false;
    for (const slot of this.#slots) {
      if (slot.voice === undefined || now - slot.voice.soundAt < RELEASE_MS) continue;
      slot.voice = undefined;
      slot.since = now;
      freed = true;
    }
    return freed;
  }

  /** Forgets a voice that was muted or ended; says whether it had a slot. */
  remove(id: string, now: number): boolean {
    this.#voices.delete(id);
    const slot = this.#slots.find(({ voice }) => voice?.id === id);
    if (slot === undefined) return false;
    slot.voice = undefined;
    slot.since = now;
    return true;
  }

  #hear(id: string, level: number, now: number, priority: boolean): Voice {
    let voice = this.#voices.get(id);
    if (voice === undefined || voice.priority !== priority) {
      voice = {
        id,
        priority,
        level: FLOOR_DBOV,
        packetAt: now - ATTACK_MS,
        voicedAt: -Infinity,
        soundAt: -Infinity,
        louderSince: undefined,
      };
      this.remove(id, now);
      this.#voices.set(id, voice);
    }
    const bounded = Math.max(level, FLOOR_DBOV);
    const timeConstant = bounded > voice.level ? ATTACK_MS : DECAY_MS;
    voice.level += (bounded - voice.level) * (1 - Math.exp((voice.packetAt - now) / timeConstant));
    voice.packetAt = now;
    if (level >= VOICE_DBOV) voice.voicedAt = now;
    if (level >= SOUND_DBOV) voice.soundAt = now;
    return voice;
  }

  #choose(voice: Voice, level: number, now: number): number | undefined {
    if (level < SOUND_DBOV) return undefined;
    // The one that has been free for longest: packets of its last occupant are no longer on their way.
    const free = this.#first(
      ({ voice: occupant }) => occupant === undefined,
      (slot) => slot.since,
    );
    if (free !== undefined) return free;
    if (level < VOICE_DBOV) return undefined;
    const quiet = this.#first(
      ({ voice: occupant }) => now - occupant!.voicedAt >= HOLD_MS && !protects(occupant!, now),
      ({ voice: occupant }) => occupant!.voicedAt,
    );
    if (quiet !== undefined) return quiet;
    return this.#displace(voice, now);
  }

  /** All slots talk. */
  #displace(voice: Voice, now: number): number | undefined {
    const quietest = this.#first(
      ({ voice: occupant }) => !occupant!.priority,
      ({ voice: occupant }) => occupant!.level,
    );
    if (quietest === undefined) return undefined;
    const slot = this.#slots[quietest]!;
    if (!voice.priority && voice.level < slot.voice!.level + MARGIN_DB) {
      voice.louderSince = undefined;
      return undefined;
    }
    voice.louderSince ??= now;
    const waited = now - voice.louderSince >= CHALLENGE_MS && now - slot.since >= TENURE_MS;
    return waited ? quietest : undefined;
  }

  /** Index of the slot that passes and has the least rank. */
  #first(test: (slot: Slot) => boolean, rank: (slot: Slot) => number): number | undefined {
    const passing = this.#slots.flatMap((slot, index) => (test(slot) ? [{ index, rank: rank(slot) }] : []));
    return passing.sort((a, b) => a.rank - b.rank)[0]?.index;
  }
}

/** The sound of a screen is quiet in places (films are) and keeps its slot all the same. */
function protects({ priority, soundAt }: Voice, now: number): boolean {
  return priority && now - soundAt < RELEASE_MS;
}
