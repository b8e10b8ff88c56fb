/** How loud each participant is now, from what their packets say (RFC 6464). */

/** −dBov of what counts as silence, and of what fills the meter. */
const SILENCE = 60;
const LOUD = 12;
/** A level that nothing follows fades out in this time, milliseconds. */
const FADE_MS = 250;

export class Levels {
  readonly #levels = new Map<string, { level: number; at: number }>();

  /** Takes the level of a packet, −dBov. */
  heard(participantId: string, dBov: number, now: number): void {
    const level = Math.min(1, Math.max(0, (SILENCE - dBov) / (SILENCE - LOUD)));
    if (level >= this.at(participantId, now)) this.#levels.set(participantId, { level, at: now });
  }

  /** From 0 (silent) to 1 (loud). */
  at(participantId: string, now: number): number {
    const known = this.#levels.get(participantId);
    if (known === undefined) return 0;
    const left = 1 - (now - known.at) / FADE_MS;
    if (left <= 0) {
      this.#levels.delete(participantId);
      return 0;
    }
    return known.level * left;
  }

  /** Whether anybody is heard. */
  active(now: number): boolean {
    for (const id of this.#levels.keys()) if (this.at(id, now) > 0) return true;
    return false;
  }

  /** Forgets who has left. */
  forget(participantId: string): void {
    this.#levels.delete(participantId);
  }
}
