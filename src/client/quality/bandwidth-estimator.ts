import type { AckedPacket, TransportFeedbackReport } from '../rtp/sent-packet-history.ts';
import { DelayDetector, type DelayUsage, LARGE_QUEUE_MS } from './delay-detector.ts';
import { OutageWatch } from './outage.ts';
import { type PacketTrain, PacketTrains, trainPace } from './packet-trains.ts';
import { Throughput } from './throughput.ts';

/** What is left of the measured capacity after a decrease, so that the queue empties. */
const DECREASE = 0.9;
/** Growth a second while nothing speaks against it, and how far above what is really sent it may go. */
const INCREASE_A_SECOND = 0.08;
const MAX_OVER_THROUGHPUT = 1.5;
/** A decrease shows after a round trip and the feedback's interval; another one before that would be for the same queue. */
const DECREASE_INTERVAL_MS = 300;
/** A train that takes so long, at a rate so far below what is sent, has met a bottleneck that cannot carry it. */
const EARLY_SPAN_MS = 45;
const EARLY_RATE = 0.8;
/** Rates at the moment of a decrease are of the last arrivals; before them the path may have been another. */
const RECENT_MS = 200;
const STEADY_MS = 500;
const LOSS_WINDOW_MS = 1_000;
const MIN_LOSS_PACKETS = 30;
/** Loss beyond which the path is taken for overloaded whatever the delay says: a policer drops without a queue. */
export const OVERLOAD_LOSS = 0.2;
const MIN_ESTIMATE = 30_000;

/**
 * Bandwidth of the uplink from transport-wide feedback: the delay-based and loss-based parts of
 * draft-ietf-rmcat-gcc-02, with two differences. Our sources send at fixed rates, so the estimate grows beyond what is
 * sent only by probes (`probed`), and what counts most is to notice at once when the path narrows: a picture's packets
 * that come through much slower than we send tell it within one feedback.
 */
export class BandwidthEstimator {
  readonly #outages = new OutageWatch();
  readonly #detector = new DelayDetector();
  #trains = new PacketTrains();
  #throughput = new Throughput();
  #estimate: number;
  #sent: { atMs: number; bytes: number }[] = [];
  #reports: { atMs: number; acked: number; lost: number }[] = [];
  #lastDecreaseMs = Number.NEGATIVE_INFINITY;
  #lastUpdateMs: number | undefined;
  #decreases = 0;

  /** `startBitrate` is what is taken for granted until the path shows otherwise. */
  constructor(startBitrate: number) {
    this.#estimate = startBitrate;
  }

  /** Bits a second, RTP with its headers and SRTP, without UDP and IP. */
  get estimate(): number {
    return this.#estimate;
  }

  get usage(): DelayUsage {
    return this.#detector.usage;
  }

  /** How often the estimate was lowered: whoever probes compares it before and after. */
  get decreases(): number {
    return this.#decreases;
  }

  /** Milliseconds of queue that the path has over its emptiest of the last ten seconds. */
  get queueMs(): number {
    return this.#detector.queueMs;
  }

  /**
   * Share of the packets of the last second that did not arrive, 0 to 1, less one standard deviation: seven lost of the
   * first seventy happen on a path that loses two in a hundred. 0 where there are few packets.
   */
  get lossFraction(): number {
    const { acked, lost } = this.#totals();
    const packets = acked + lost;
    if (packets < MIN_LOSS_PACKETS) return 0;
    const share = lost / packets;
    return Math.max(0, share - Math.sqrt((share * (1 - share)) / packets));
  }

  /** Bits a second that arrived, over half a second. */
  get throughput(): number | undefined {
    return this.#throughput.over(STEADY_MS);
  }

  onFeedback(report: TransportFeedbackReport): void {
    const { receivedMs } = report;
    const { acked, lost, outage } = this.#outages.judge(report);
    if (outage) this.#forget();
    const elapsed = Math.min(1_000, receivedMs - (this.#lastUpdateMs ?? receivedMs));
    this.#lastUpdateMs = receivedMs;
    this.#throughput.add(acked);
    this.#reports.push({ atMs: receivedMs, acked: acked.length, lost });
    this.#noteSent(acked);
    let early: number | undefined;
    for (const packet of acked) {
      const train = this.#trains.add(packet);
      if (!train) continue;
      this.#detector.add(train);
      early = this.#rateTooSlow(train) ?? early;
    }
    const { current } = this.#trains;
    if (current) early = this.#rateTooSlow(current) ?? early;
    // A keyframe also makes the delay grow for a moment; a queue that is long before a picture is no picture's. And
    // what a stall has held up is there by the end of the report.
    const overused = this.#detector.usage === 'overuse' && this.#detector.queueMs > LARGE_QUEUE_MS;
    if (early !== undefined) this.#decrease(early, receivedMs);
    else if (overused) this.#decrease(this.capacity, receivedMs);
    else if (this.lossFraction > OVERLOAD_LOSS) {
      this.#decrease(this.#throughput.over(LOSS_WINDOW_MS), receivedMs, LOSS_WINDOW_MS);
    } else if (this.#detector.usage === 'normal') this.#increase(elapsed);
  }

  /** A probe has shown that the path carries so much, whether or not it is all that it was meant to carry. */
  probed(bitrate: number): void {
    this.#estimate = Math.max(this.#estimate, bitrate);
  }

  /** Takes what the other side has estimated (REMB), where there is no feedback to estimate from. */
  set(bitrate: number): void {
    if (bitrate < this.#estimate) this.#decreases += 1;
    this.#estimate = Math.max(MIN_ESTIMATE, bitrate);
  }

  /** The rate of sending changes much: what was measured under the other load says nothing about the new one. */
  onRateChange(): void {
    this.#detector.reset();
    this.#reports = [];
  }

  /** What was measured up to a cut of the path says nothing about it; the estimate is as good as before. */
  #forget(): void {
    this.#trains = new PacketTrains();
    this.#throughput = new Throughput();
    this.#sent = [];
    this.onRateChange();
  }

  /** Bits a second of a train that came through too slowly for what is sent. */
  #rateTooSlow(train: PacketTrain): number | undefined {
    const pace = trainPace(train);
    const sent = this.#sentRate();
    if (pace === undefined || sent === undefined) return undefined;
    const stretched = pace.spanMs - (train.lastSentMs - train.firstSentMs);
    const slow = stretched > EARLY_SPAN_MS && pace.rate < EARLY_RATE * Math.min(sent, this.#estimate);
    return slow ? pace.rate : undefined;
  }

  /** What the path carries while more is sent than that: bits a second of the last arrivals. */
  get capacity(): number | undefined {
    const recent = this.#throughput.over(RECENT_MS);
    const steady = this.#throughput.over(STEADY_MS);
    return recent === undefined || steady === undefined ? (recent ?? steady) : Math.min(recent, steady);
  }

  #decrease(capacity: number | undefined, nowMs: number, intervalMs = DECREASE_INTERVAL_MS): void {
    if (capacity === undefined || nowMs - this.#lastDecreaseMs < intervalMs) return;
    const lowered = Math.max(MIN_ESTIMATE, capacity * DECREASE);
    if (lowered >= this.#estimate) return;
    this.#estimate = lowered;
    this.#lastDecreaseMs = nowMs;
    this.#decreases += 1;
    this.#reports = [];
  }

  #increase(elapsedMs: number): void {
    const limit = (this.throughput ?? 0) * MAX_OVER_THROUGHPUT;
    if (this.#estimate >= limit) return;
    this.#estimate = Math.min(limit, this.#estimate * (1 + (INCREASE_A_SECOND * elapsedMs) / 1000));
  }

  #noteSent(acked: readonly AckedPacket[]): void {
    for (const { sentMs, bytes } of acked) this.#sent.push({ atMs: sentMs, bytes });
    const latest = this.#sent.at(-1)?.atMs ?? 0;
    let first = 0;
    while (first < this.#sent.length && latest - this.#sent[first]!.atMs > STEADY_MS) first += 1;
    if (first > 0) this.#sent.splice(0, first);
  }

  /** Bits a second that were sent of what arrived, over the last half second; `undefined` before there is one. */
  #sentRate(): number | undefined {
    const spanMs = (this.#sent.at(-1)?.atMs ?? 0) - (this.#sent[0]?.atMs ?? 0);
    if (spanMs < STEADY_MS * 0.8) return undefined;
    return (this.#sent.reduce((sum, { bytes }) => sum + bytes, 0) * 8000) / spanMs;
  }

  #totals(): { acked: number; lost: number } {
    const nowMs = this.#lastUpdateMs ?? 0;
    this.#reports = this.#reports.filter(({ atMs }) => nowMs - atMs <= LOSS_WINDOW_MS);
    let acked = 0;
    let lost = 0;
    for (const report of this.#reports) {
      acked += report.acked;
      lost += report.lost;
    }
    return { acked, lost };
  }
}
