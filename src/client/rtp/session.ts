import { EventEmitter } from 'node:events';
import type { SrtpKeys } from '../transport/types.ts';
import { ArrivalRecorder } from './arrival-recorder.ts';
import { type Clock, systemClock } from './clock.ts';
import { readAudioLevel } from './extensions.ts';
import { readAbsCaptureTime, roundTripMs } from './ntp.ts';
import { Pacer } from './pacer.ts';
import { isRtcp, parseRtpHeader, readExtension, stripPadding } from './packet.ts';
import { type ReceivePath, RtpReceiver, type RtpReceiverOptions } from './receiver.ts';
import { Reporter } from './reporter.ts';
import { RoundTrip } from './round-trip.ts';
import { parseRtcp, serializeRtcp } from './rtcp/compound.ts';
import type { ReportBlock, RtcpPacket } from './rtcp/types.ts';
import { Scheduler } from './scheduler.ts';
import { RtpSender, type RtpSenderOptions, type SendPath } from './sender.ts';
import {
  SentPacketHistory,
  type TransportFeedbackReport,
  type TransportFeedbackStats,
} from './sent-packet-history.ts';
import { SrtpInbound } from './srtp/inbound.ts';
import { SrtpOutbound } from './srtp/outbound.ts';

export interface RtpSessionOptions {
  /** Puts one SRTP or SRTCP packet on the path; must not throw. */
  readonly send: (packet: Buffer) => void;
  readonly keys: SrtpKeys;
  /** Names the participant in reports, the same for all its streams. */
  readonly cname: string;
  /** Bits a second that the senders make together; the pacer gives bursts 2.5 times it, 10 Mbit/s at least. */
  readonly targetBitrate?: number;
  readonly clock?: Clock;
}

export interface RtpSessionEvents {
  /** What the receiver reported about transport-wide sequence numbers; for bandwidth estimators. */
  'transport-feedback': [report: TransportFeedbackReport];
  /** The receiver's estimate (REMB), bits a second. */
  remb: [bitrate: number];
  /** Receiver reports came: the largest fraction lost among their blocks about our streams, 0 to 1. */
  reports: [fractionLost: number];
}

/**
 * RTP and RTCP over one DTLS-SRTP transport: it encrypts, decrypts and hands each packet to the sender or
 * receiver that it is for.
 */
export class RtpSession extends EventEmitter<RtpSessionEvents> {
  readonly #options: RtpSessionOptions;
  readonly #scheduler: Scheduler;
  readonly #outbound: SrtpOutbound;
  readonly #inbound: SrtpInbound;
  readonly #pacer: Pacer;
  readonly #history = new SentPacketHistory(randomSequenceNumber());
  readonly #roundTrip = new RoundTrip();
  readonly #reporter: Reporter;
  readonly #arrivals: ArrivalRecorder;
  readonly #senders = new Map<number, RtpSender>();
  /** By media and by RTX SSRC. */
  readonly #receivers = new Map<number, RtpReceiver>();
  readonly #allReceivers = new Set<RtpReceiver>();
  /** Where SSRCs of removed senders go on. */
  readonly #usedIndices = new Map<number, number>();
  readonly #sendPath: SendPath;
  readonly #receivePath: ReceivePath;
  #transportCcId: number | undefined;
  #closed = false;

  constructor(options: RtpSessionOptions) {
    super();
    const { keys, cname, clock = systemClock, targetBitrate = 0 } = options;
    this.#options = options;
    this.#scheduler = new Scheduler(clock);
    this.#outbound = new SrtpOutbound(keys.profile, keys.localKey, keys.localSalt);
    this.#inbound = new SrtpInbound(keys.profile, keys.remoteKey, keys.remoteSalt);
    this.#pacer = new Pacer(this.#scheduler, targetBitrate);
    // 1 to 2^32 − 1: some peers take 0 for none.
    const localSsrc = 1 + Math.floor(Math.random() * (2 ** 32 - 1));
    const rttMs = () => this.#roundTrip.ms;
    const sendFeedback = (packet: RtcpPacket) => this.#sendRtcp([packet]);
    this.#reporter = new Reporter({
      scheduler: this.#scheduler,
      localSsrc,
      cname,
      senders: this.#senders,
      receivers: this.#allReceivers,
      roundTrip: this.#roundTrip,
      send: (compound) => this.#sendRtcp(compound),
    });
    this.#arrivals = new ArrivalRecorder({
      scheduler: this.#scheduler,
      senderSsrc: localSsrc,
      send: sendFeedback,
    });
    this.#receivePath = { scheduler: this.#scheduler, localSsrc, sendFeedback, rttMs };
    this.#sendPath = {
      scheduler: this.#scheduler,
      srtp: this.#outbound,
      pacer: this.#pacer,
      history: this.#history,
      send: (packet) => this.#send(packet),
      rttMs,
      requestReport: () => this.#reporter.soon(),
      firstIndex: (ssrc) => this.#usedIndices.get(ssrc) ?? randomSequenceNumber(),
    };
  }

  /** Round trip, smoothed; `undefined` before the first report that tells it. */
  get rttMs(): number | undefined {
    return this.#roundTrip.ms;
  }

  transportStats(): TransportFeedbackStats {
    return this.#history.stats(this.#scheduler.now());
  }

  setTargetBitrate(bitrate: number): void {
    this.#pacer.setTargetBitrate(bitrate);
  }

  addSender(options: RtpSenderOptions): RtpSender {
    if (this.#senders.has(options.ssrc)) throw new RangeError(`The SSRC ${options.ssrc} is in use`);
    const sender = new RtpSender(options, this.#sendPath);
    this.#senders.set(sender.ssrc, sender);
    return sender;
  }

  /** Ends a stream and says goodbye for it. */
  removeSender(sender: RtpSender): void {
    if (this.#senders.get(sender.ssrc) !== sender) return;
    this.#senders.delete(sender.ssrc);
    sender.close();
    for (const { ssrc, index } of sender.indices) this.#usedIndices.set(ssrc, index);
    this.#sendGoodbye([sender]);
  }

  addReceiver(options: RtpReceiverOptions): RtpReceiver {
    const receiver = new RtpReceiver(options, this.#receivePath);
    for (const ssrc of [options.ssrc, options.rtxSsrc]) {
      if (ssrc === undefined) continue;
      if (this.#receivers.has(ssrc)) throw new RangeError(`The SSRC ${ssrc} is in use`);
    }
    this.#receivers.set(receiver.ssrc, receiver);
    if (receiver.rtxSsrc !== undefined) this.#receivers.set(receiver.rtxSsrc, receiver);
    this.#allReceivers.add(receiver);
    // The id is the same for all streams of a transport (RFC 8285 section 5 for bundled media).
    if (options.transportCc) this.#transportCcId ??= options.extensions.transportCc;
    return receiver;
  }

  removeReceiver(receiver: RtpReceiver): void {
    if (!this.#allReceivers.delete(receiver)) return;
    receiver.close();
    this.#receivers.delete(receiver.ssrc);
    if (receiver.rtxSsrc !== undefined) this.#receivers.delete(receiver.rtxSsrc);
  }

  /**
   * Sends a packet that says nothing new, to probe the bandwidth: one of the last pictures again over RTX (RFC 4588),
   * which a receiver that has it drops. Gives its bytes, 0 where there is nothing to send again.
   */
  sendPadding(): number {
    let bytes = 0;
    for (const sender of this.#senders.values()) {
      bytes ||= sender.kind === 'video' ? sender.sendPadding() : 0;
    }
    return bytes;
  }

  /** Takes any SRTP or SRTCP packet of the transport. What is malformed, forged or replayed is dropped. */
  receive(packet: Buffer): void {
    if (this.#closed) return;
    if (isRtcp(packet)) {
      const compound = this.#inbound.unprotectRtcp(packet);
      if (compound) for (const part of parseRtcp(compound)) this.#handleRtcp(part);
      return;
    }
    const header = parseRtpHeader(packet);
    const decrypted = header && this.#inbound.unprotectRtp(packet, header);
    if (!header || !decrypted) return;
    const now = this.#scheduler.now();
    if (this.#transportCcId !== undefined) {
      // Before the demultiplexing: an SFU probes with SSRCs that are nobody's.
      const value = readExtension(packet, header, this.#transportCcId);
      if (value?.length === 2) this.#arrivals.received(value.readUInt16BE(0), header.ssrc, now);
    }
    const payload = stripPadding(decrypted, header);
    const receiver = payload && this.#receivers.get(header.ssrc);
    if (!receiver) return;
    const captured =
      receiver.captureTimeId === undefined
        ? undefined
        : readExtension(packet, header, receiver.captureTimeId);
    const captureTimeMs = captured && readAbsCaptureTime(captured);
    const leveled =
      receiver.audioLevelId === undefined ? undefined : readExtension(packet, header, receiver.audioLevelId);
    const audioLevel = leveled && readAudioLevel(leveled)?.level;
    receiver.receive({ header, payload, bytes: packet.length, nowMs: now, captureTimeMs, audioLevel });
  }

  /** Sends what the pacer holds and goodbyes, and stops all timers. */
  close(): void {
    if (this.#closed) return;
    this.#pacer.flush();
    this.#sendGoodbye([...this.#senders.values()]);
    this.#closed = true;
    this.#scheduler.close();
    for (const sender of this.#senders.values()) sender.close();
    for (const receiver of this.#allReceivers) receiver.close();
    this.#senders.clear();
    this.#receivers.clear();
    this.#allReceivers.clear();
    this.removeAllListeners();
  }

  #handleRtcp(packet: RtcpPacket): void {
    const now = this.#scheduler.now();
    switch (packet.type) {
      case 'sender-report':
        this.#receivers.get(packet.ssrc)?.handleSenderReport(packet, now);
        this.#handleReports(packet.reports, now);
        break;
      case 'receiver-report':
        this.#handleReports(packet.reports, now);
        break;
      case 'extended-report':
        this.#reporter.handleExtendedReport(packet, now);
        break;
      case 'goodbye':
        for (const ssrc of packet.ssrcs) {
          const receiver = this.#receivers.get(ssrc);
          if (receiver?.ssrc === ssrc) receiver.handleBye();
        }
        break;
      case 'nack':
        this.#senders.get(packet.mediaSsrc)?.handleNack(packet.sequenceNumbers);
        break;
      case 'picture-loss-indication':
        for (const sender of this.#videoSenders(packet.mediaSsrc)) sender.handlePli();
        break;
      case 'full-intra-request':
        for (const { ssrc, sequenceNumber } of packet.entries) {
          for (const sender of this.#videoSenders(ssrc)) sender.handleFir(packet.senderSsrc, sequenceNumber);
        }
        break;
      case 'transport-feedback':
        this.emit('transport-feedback', this.#history.feedback(packet, now));
        break;
      case 'remb':
        this.emit('remb', packet.bitrate);
        break;
      case 'source-description':
        break;
    }
  }

  #handleReports(reports: readonly ReportBlock[], nowMs: number): void {
    let fractionLost: number | undefined;
    for (const report of reports) {
      const sender = this.#senders.get(report.ssrc);
      if (!sender) continue;
      fractionLost = Math.max(fractionLost ?? 0, report.fractionLost / 256);
      sender.handleReport(report);
      const sample = roundTripMs(nowMs, report.lastSenderReport, report.delaySinceLastSenderReport);
      if (sample !== undefined) this.#roundTrip.add(sample);
    }
    if (fractionLost !== undefined) this.emit('reports', fractionLost);
  }

  /** An SSRC of 0 means all. */
  #videoSenders(ssrc: number): RtpSender[] {
    return [...this.#senders.values()].filter(
      (sender) => sender.kind === 'video' && (ssrc === 0 || sender.ssrc === ssrc),
    );
  }

  #sendGoodbye(senders: readonly RtpSender[]): void {
    const first = senders[0];
    if (!first) return;
    const ssrcs = senders.flatMap(({ ssrc, rtxSsrc }) => (rtxSsrc === undefined ? [ssrc] : [ssrc, rtxSsrc]));
    this.#sendRtcp([
      { type: 'receiver-report', ssrc: first.ssrc, reports: [] },
      { type: 'source-description', chunks: [{ ssrc: first.ssrc, cname: this.#options.cname }] },
      { type: 'goodbye', ssrcs: ssrcs.slice(0, 31) },
    ]);
  }

  #sendRtcp(packets: readonly RtcpPacket[]): void {
    this.#send(this.#outbound.protectRtcp(serializeRtcp(packets)));
  }

  #send(packet: Buffer): void {
    if (!this.#closed) this.#options.send(packet);
  }
}

/**
 * A random start in the lower half of the range: a stream whose first packets are lost around its first wrap
 * could not be told from one that has not wrapped (RFC 3711 section 3.3.1).
 */
function randomSequenceNumber(): number {
  return Math.floor(Math.random() * 32_768);
}
