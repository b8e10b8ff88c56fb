/** Who speaks when, by the levels that senders put into their packets. */

/** Louder than this is speech, −dBov (RFC 6464); quieter is breath and keyboard. */
const SPEECH_LEVEL = 45;
/** Syllables are so far apart at most; the frame around who speaks does not flicker. */
const HOLD_MS = 400;
/** Loud moments that are kept: more than the picture is ever behind. */
const KEPT_MS = 5_000;

export class Speech {
  /** Wall times of loud packets, by participant. */
  readonly #loud = new Map<string, number[]>();

  /** Takes the level of a packet that was captured at a wall time. */
  heard(participantId: string, level: number, capturedAt: number): void {
    if (level > SPEECH_LEVEL) return;
    const times = this.#loud.get(participantId) ?? [];
    this.#loud.set(participantId, times);
    times.push(capturedAt);
    while (times.length > 0 && times[0]! < capturedAt - KEPT_MS) times.shift();
  }

  /** Whether something loud was heard of the participant just before a wall time. */
  speaksAt(participantId: string, wallMs: number): boolean {
    const times = this.#loud.get(participantId);
    return times?.some((time) => time <= wallMs && time > wallMs - HOLD_MS) ?? false;
  }

  /** Forgets a participant. */
  gone(participantId: string): void {
    this.#loud.delete(participantId);
  }
}
