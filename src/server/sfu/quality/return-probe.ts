/**
 * The way back from audio only. While no video is sent nothing measures the bandwidth but the worker's own probes. They
 * come every five seconds and are of 15 ms, which a token bucket of some kilobytes lets through at any rate. So the
 * estimate is held down for the time that a switch up has to wait anyway, and then larger probes say whether there is
 * more than audio needs: if they fail the wait begins anew.
 */
import { HOLD_MS, VIDEO_MIN_BITRATE } from './policy.ts';

/** Limit of the estimate while only audio is sent, bits a second: less than video needs. */
export const WAIT_CEILING = 120_000;
/**
 * Limits that are set one after the other to probe. With each but the first the worker sends two clusters of 15 ms, at
 * the limit and at the one before: 20 kB in all, which is more than the bucket and the queue of a link hold that is
 * too narrow for video.
 */
export const PROBE_CEILINGS: readonly number[] = [3_400_000, 2_600_000, 2_950_000];
/** By then the feedback is there, over paths of a few hundred milliseconds as well. */
const PROBE_MS = 700;
/** A probe went well when it found so much more than the least that video takes; the rest comes back as ever. */
const PROVEN_SHARE = 1.1;
/** After so many probes in vain they come more seldom: each takes the link for a fifth of a second. */
const PATIENT_AFTER = 6;
const PATIENT_HOLD_MS = 15_000;
/** An estimate that no probe moves by this share is none: nothing of the probes was sent, or nothing was said of them. */
const MOVED_SHARE = 0.15;
/** After so many of those the least video is the probe. It was seen that the worker sent no more probes after heavy loss. */
const BLIND_PROBES = 2;
/** Video that had to end again within this time counts as several probes in vain: it takes the link for seconds. */
const TRIAL_MS = 10_000;
const TRIAL_FAILURES = 3;

export class ReturnProbe {
  #waitingSinceMs: number | undefined;
  #probingSinceMs: number | undefined;
  #provenAtMs = -Infinity;
  #failures = 0;
  /** What was measured when the probe began, and whether that changed since. */
  #before = 0;
  #moved = false;
  #blind = 0;

  /** What the estimate is to be bounded by; `undefined` when it is not for us to say. */
  get ceilings(): readonly number[] | undefined {
    if (this.#probingSinceMs !== undefined) return PROBE_CEILINGS;
    return this.#waitingSinceMs === undefined ? undefined : [WAIT_CEILING];
  }

  /** Only audio is sent from now on, as the bandwidth carries no video. */
  begin(nowMs: number): void {
    if (this.#waitingSinceMs !== undefined) return;
    this.#waitingSinceMs = nowMs;
    this.#failures = nowMs - this.#provenAtMs < TRIAL_MS ? this.#failures + TRIAL_FAILURES : 0;
  }

  /** Video is sent, or none is asked for. */
  end(): void {
    this.#waitingSinceMs = undefined;
    this.#probingSinceMs = undefined;
  }

  /**
   * What the policy is to be told while only audio is sent; `least` is what audio and one video at its lowest layer take,
   * bits a second.
   */
  judge(nowMs: number, measured: number, least: number): { estimate: number; proven: boolean } {
    const unknown = { estimate: Math.min(measured, VIDEO_MIN_BITRATE / 2), proven: false };
    if (this.#waitingSinceMs === undefined) return { estimate: measured, proven: false };
    if (this.#probingSinceMs === undefined) {
      const hold = this.#failures < PATIENT_AFTER ? HOLD_MS : PATIENT_HOLD_MS;
      if (nowMs - this.#waitingSinceMs < hold) return unknown;
      this.#probingSinceMs = nowMs;
      this.#before = measured;
      this.#moved = false;
      return unknown;
    }
    this.#moved ||= Math.abs(measured - this.#before) > this.#before * MOVED_SHARE;
    if (nowMs - this.#probingSinceMs < PROBE_MS) return unknown;
    this.#probingSinceMs = undefined;
    this.#blind = this.#moved ? 0 : this.#blind + 1;
    const enough = PROVEN_SHARE * Math.max(VIDEO_MIN_BITRATE, least);
    if (measured >= enough || this.#blind >= BLIND_PROBES) {
      this.#blind = 0;
      this.#provenAtMs = nowMs;
      return { estimate: enough, proven: true };
    }
    this.#failures++;
    this.#waitingSinceMs = nowMs;
    return unknown;
  }
}
