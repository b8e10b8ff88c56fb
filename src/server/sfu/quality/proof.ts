/**
 * Finds out whether a bandwidth is there before a better layer makes use of it. The worker's own probes are single
 * clusters of 15 ms, which a token bucket lets through at any rate: at 1 Mbit/s with a bucket of 8 kB the estimate rose to
 * 3.4 Mbit/s every few seconds, and each switch up that followed it filled the link. Here clusters follow one another for
 * longer than a bucket lasts, at about the rate that is going to be sent; if the link is too narrow, the estimate falls.
 */
import type { WebRtcTransport } from 'mediasoup/types';

/** With 600 kbit/s it is 55 kB: at 300 kbit/s more than bucket and queue hold. */
const PROOF_MS = 900;
/** With each rise of the limit the worker sends two clusters of 15 ms at the lower one: together three quarters of the time. */
const PAIR_MS = 40;
/** The lower limit is a little more than what is to be proven, so that the estimate stays above that if it is there. */
const LOWER_SHARE = 1.03;
/** The worker takes no notice of changes of less than a tenth. */
const UPPER_SHARE = 1.2;

/** A switch up is announced for a second; once in that time is enough. */
const AGAIN_AFTER_MS = 2_000;

export class Proof {
  #timer: NodeJS.Timeout | undefined;
  #startedAtMs = -Infinity;

  get running(): boolean {
    return this.#timer !== undefined;
  }

  /**
   * @param bandwidth to be proven, bits a second, without what is sent outside the worker's estimate.
   * @param estimate the worker's, to stop when it has fallen.
   */
  start(transport: WebRtcTransport, bandwidth: number, estimate: () => number, onEnd: () => void): void {
    if (this.running || performance.now() - this.#startedAtMs < AGAIN_AFTER_MS) return;
    this.#startedAtMs = performance.now();
    const limit = (share: number) => {
      // A worker that dies meanwhile takes the connection with it.
      transport.setMaxOutgoingBitrate(Math.round(bandwidth * share)).catch(() => {});
    };
    let pairs = Math.round(PROOF_MS / PAIR_MS);
    const pair = () => {
      if (pairs-- === 0 || transport.closed || estimate() < bandwidth) {
        this.stop();
        onEnd();
        return;
      }
      limit(LOWER_SHARE);
      limit(UPPER_SHARE);
    };
    this.#timer = setInterval(pair, PAIR_MS);
    pair();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
