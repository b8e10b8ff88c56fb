/** How well each participant is connected, as far as it shows in what comes from them. */
import type { MeetingStats } from '../../client/types.ts';

/** 3 is good, 1 is bad, 0 is gone. */
export type Quality = 0 | 1 | 2 | 3;

interface Sample {
  readonly packets: number;
  readonly lost: number;
}

/** Loss that a call does not notice, and that makes it hard; parts of 1. */
const FAIR_LOSS = 0.02;
const BAD_LOSS = 0.08;
/** The same of jitter and of the round trip, milliseconds. */
const FAIR_JITTER_MS = 40;
const BAD_JITTER_MS = 120;
const FAIR_RTT_MS = 250;
const BAD_RTT_MS = 600;
/** How much of the last judgement's loss is kept, so that one lost packet of few does not flicker. */
const MEMORY = 0.7;

/** Judges by what has come since it was asked last. */
export class QualityMeter {
  readonly #samples = new Map<string, Sample>();
  readonly #loss = new Map<string, number>();
  #qualities = new Map<string, Quality>();

  /** By participant; who is not in it sends nothing that could be judged. */
  get qualities(): ReadonlyMap<string, Quality> {
    return this.#qualities;
  }

  /** Takes the statistics of now; about once a second. */
  update({ received, sent, rttMs }: MeetingStats, selfId: string): void {
    const qualities = new Map<string, Quality>();
    const worst = (id: string, quality: Quality) =>
      qualities.set(id, Math.min(qualities.get(id) ?? 3, quality) as Quality);
    for (const { trackId, participantId, packets, lost, jitterMs } of received) {
      if (participantId === '') continue;
      const loss = this.#lossSince(trackId, { packets, lost });
      worst(participantId, judge(loss, FAIR_LOSS, BAD_LOSS));
      worst(participantId, judge(jitterMs, FAIR_JITTER_MS, BAD_JITTER_MS));
    }
    for (const { fractionLost, active } of sent)
      if (active) worst(selfId, judge(fractionLost, FAIR_LOSS, BAD_LOSS));
    if (rttMs !== undefined) worst(selfId, judge(rttMs, FAIR_RTT_MS, BAD_RTT_MS));
    const present = new Set(received.map(({ trackId }) => trackId));
    for (const id of this.#samples.keys()) {
      if (present.has(id)) continue;
      this.#samples.delete(id);
      this.#loss.delete(id);
    }
    this.#qualities = qualities;
  }

  #lossSince(trackId: string, now: Sample): number {
    const before = this.#samples.get(trackId) ?? { packets: 0, lost: 0 };
    this.#samples.set(trackId, now);
    const packets = now.packets - before.packets;
    const lost = Math.max(0, now.lost - before.lost);
    const fresh = packets + lost <= 0 ? 0 : lost / (packets + lost);
    const loss = MEMORY * (this.#loss.get(trackId) ?? fresh) + (1 - MEMORY) * fresh;
    this.#loss.set(trackId, loss);
    return loss;
  }
}

function judge(value: number, fair: number, bad: number): Quality {
  return value > bad ? 1 : value > fair ? 2 : 3;
}
