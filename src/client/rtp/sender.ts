import { EventEmitter } from 'node:events';
import type { Packetizer } from '../../media/rtp/types.ts';
import type { TemporalLayer } from '../../media/types.ts';
import type { MediaKind } from '../../protocol/model.ts';
import type { SenderStats } from '../types.ts';
import type { ExtensionIds } from './extensions.ts';
import { HeaderTemplate } from './header-template.ts';
import { toNtp } from './ntp.ts';
import type { Pacer } from './pacer.ts';
import { type KeptPacket, RetransmissionBuffer } from './retransmission-buffer.ts';
import type { ReportBlock, SenderReport } from './rtcp/types.ts';
import type { Scheduler } from './scheduler.ts';
import type { SentPacketHistory } from './sent-packet-history.ts';
import type { SrtpOutbound } from './srtp/outbound.ts';

export interface RtpSenderOptions {
  readonly kind: MediaKind;
  readonly ssrc: number;
  /** SSRC of the RTX stream (RFC 4588); without one a lost packet is sent again as it was. */
  readonly rtxSsrc?: number;
  readonly payloadType: number;
  readonly rtxPayloadType?: number;
  /** Hz. */
  readonly clockRate: number;
  readonly mid?: string;
  readonly rid?: string;
  readonly extensions: ExtensionIds;
  readonly packetizer: Packetizer;
  /** RTP timestamp of `timestampUs` 0; random by default. */
  readonly timestampOffset?: number;
}

export interface FrameToSend {
  readonly data: Buffer;
  readonly keyframe: boolean;
  /** On the source's clock, which audio and all layers share. */
  readonly timestampUs: number;
  /**
   * Wall clock of the capture, milliseconds since the epoch. Sender reports are made of it: where it is the
   * same base plus `timestampUs` for all senders of a source, receivers synchronise them exactly.
   */
  readonly captureTimeMs: number;
  /** −dBov, 0 to 127. */
  readonly audioLevel?: number;
  /** Video with temporal layers. */
  readonly temporalLayer?: TemporalLayer;
}

export interface RtpSenderEvents {
  /** The receiver needs a keyframe (PLI or FIR). */
  'keyframe-request': [];
}

/** What the session lends its senders. */
export interface SendPath {
  readonly scheduler: Scheduler;
  readonly srtp: SrtpOutbound;
  readonly pacer: Pacer;
  readonly history: SentPacketHistory;
  send(packet: Buffer): void;
  rttMs(): number | undefined;
  /** A sender has something new to report: its first frame. */
  requestReport(): void;
  /** Index that the SSRC goes on with: a nonce must not come twice under one key. */
  firstIndex(ssrc: number): number;
}

/** What a packet of the stream carries. */
interface MediaPacket {
  readonly timestamp: number;
  readonly marker: boolean;
  readonly payload: Buffer;
  readonly audioLevel?: number | undefined;
  /** On the first packet of a frame, milliseconds since the epoch. */
  readonly captureTimeMs?: number | undefined;
}

/** A packet is not sent twice within a round trip, or within this where none is known. */
const MIN_RESEND_MS = 10;

/** Sends one stream: an audio track, or one simulcast layer of a video. */
export class RtpSender extends EventEmitter<RtpSenderEvents> {
  readonly kind: MediaKind;
  readonly ssrc: number;
  readonly rtxSsrc: number | undefined;
  readonly #path: SendPath;
  readonly #packetizer: Packetizer;
  readonly #clockRate: number;
  readonly #timestampOffset: number;
  readonly #template: HeaderTemplate;
  /** Of the first packet of a frame, which says when it was captured. */
  readonly #firstTemplate: HeaderTemplate;
  readonly #rtxTemplate: HeaderTemplate | undefined;
  readonly #firstRtxTemplate: HeaderTemplate | undefined;
  readonly #buffer: RetransmissionBuffer;
  /** Index that the next packetised payload gets, and that the next RTX packet gets. */
  #nextIndex: number;
  #nextRtxIndex: number;
  #lastFrame: { rtpTimestamp: number; captureTimeMs: number } | undefined;
  #lastFir: { ssrc: number; sequenceNumber: number } | undefined;
  #octets = 0;
  #mediaPackets = 0;
  #active = true;
  #closed = false;
  #report: ReportBlock | undefined;
  readonly #stats = {
    bytes: 0,
    retransmitted: 0,
    nacksReceived: 0,
    keyframeRequests: 0,
    frames: 0,
    keyframes: 0,
  };

  constructor(options: RtpSenderOptions, path: SendPath) {
    super();
    const { kind, ssrc, rtxSsrc, rtxPayloadType, rid, ...rest } = options;
    this.kind = kind;
    this.ssrc = ssrc;
    this.#path = path;
    this.#packetizer = options.packetizer;
    this.#clockRate = options.clockRate;
    this.#timestampOffset = options.timestampOffset ?? Math.floor(Math.random() * 2 ** 32);
    const header = { ...rest, ssrc, ...(rid !== undefined && { rid }), audioLevel: kind === 'audio' };
    this.#template = new HeaderTemplate(header);
    this.#firstTemplate = new HeaderTemplate({ ...header, captureTime: true });
    if (rtxSsrc !== undefined && rtxPayloadType !== undefined) {
      this.rtxSsrc = rtxSsrc;
      const repair = {
        ...rest,
        ssrc: rtxSsrc,
        payloadType: rtxPayloadType,
        ...(rid !== undefined && { repairedRid: rid }),
        audioLevel: kind === 'audio',
      };
      this.#rtxTemplate = new HeaderTemplate(repair);
      this.#firstRtxTemplate = new HeaderTemplate({ ...repair, captureTime: true });
    }
    this.#nextIndex = path.firstIndex(ssrc);
    this.#buffer = new RetransmissionBuffer(this.#nextIndex);
    this.#nextRtxIndex = this.rtxSsrc === undefined ? 0 : path.firstIndex(this.rtxSsrc);
  }

  /** Next index of each SSRC, for a later sender of the same one. */
  get indices(): readonly { readonly ssrc: number; readonly index: number }[] {
    const indices = [{ ssrc: this.ssrc, index: this.#nextIndex }];
    if (this.rtxSsrc !== undefined) indices.push({ ssrc: this.rtxSsrc, index: this.#nextRtxIndex });
    return indices;
  }

  /** Cuts a frame into packets and sends or paces them; gives their number. */
  sendFrame(frame: FrameToSend): number {
    if (this.#closed) return 0;
    const { keyframe, temporalLayer } = frame;
    const options = temporalLayer === undefined ? { keyframe } : { keyframe, temporalLayer };
    const payloads = this.#packetizer.packetize(frame.data, options);
    const ticks = Math.round((frame.timestampUs * this.#clockRate) / 1e6);
    const timestamp = modulo32(this.#timestampOffset + ticks);
    const video = this.kind === 'video';
    const overhead = this.#firstTemplate.byteLength + this.#path.srtp.overhead;
    payloads.forEach((payload, i) => {
      const index = this.#nextIndex;
      this.#nextIndex += 1;
      const marker = video && i === payloads.length - 1;
      const captureTimeMs = i === 0 ? frame.captureTimeMs : undefined;
      const send = () =>
        this.#transmit(index, { timestamp, marker, payload, captureTimeMs, audioLevel: frame.audioLevel });
      // Audio is small and its delay is heard, so it does not wait behind a picture.
      if (video) this.#path.pacer.enqueue('media', payload.length + overhead, send);
      else send();
    });
    const first = this.#lastFrame === undefined;
    this.#lastFrame = { rtpTimestamp: timestamp, captureTimeMs: frame.captureTimeMs };
    this.#stats.frames += 1;
    if (frame.keyframe) this.#stats.keyframes += 1;
    if (first) this.#path.requestReport();
    return payloads.length;
  }

  /** A stream that rests repairs nothing: on a path that was too narrow for it, that would take from the others. */
  setActive(active: boolean): void {
    this.#active = active;
  }

  /** Answers a generic NACK. */
  handleNack(sequenceNumbers: readonly number[]): void {
    if (this.#closed || !this.#active) return;
    const now = this.#path.scheduler.now();
    const pause = Math.max(MIN_RESEND_MS, this.#path.rttMs() ?? 0);
    for (const sequenceNumber of sequenceNumbers) {
      this.#stats.nacksReceived += 1;
      const packet = this.#buffer.get(sequenceNumber);
      if (!packet || now - packet.resentMs < pause) continue;
      packet.resentMs = now;
      const bytes = packet.length + this.#template.byteLength + this.#path.srtp.overhead + 2;
      this.#path.pacer.enqueue('retransmission', bytes, () => this.#retransmit(packet));
    }
  }

  /** Sends the last packet again over RTX; gives its bytes, 0 without RTX or before the first packet. */
  sendPadding(): number {
    const last = this.#buffer.latest;
    if (this.#closed || !last || this.rtxSsrc === undefined) return 0;
    const before = this.#stats.bytes;
    this.#retransmit(last);
    this.#stats.retransmitted -= 1;
    return this.#stats.bytes - before;
  }

  handlePli(): void {
    if (this.#closed) return;
    this.#stats.keyframeRequests += 1;
    this.emit('keyframe-request');
  }

  /** A FIR is repeated with the same number until it is answered (RFC 5104 section 4.3.1.2). */
  handleFir(requester: number, sequenceNumber: number): void {
    if (this.#lastFir?.ssrc === requester && this.#lastFir.sequenceNumber === sequenceNumber) return;
    this.#lastFir = { ssrc: requester, sequenceNumber };
    this.handlePli();
  }

  handleReport(report: ReportBlock): void {
    this.#report = report;
  }

  /** `undefined` before the first frame was sent. */
  senderReport(nowMs: number): SenderReport | undefined {
    if (!this.#lastFrame || this.#mediaPackets === 0) return undefined;
    const sinceMs = nowMs - this.#lastFrame.captureTimeMs;
    const ticks = Math.round((sinceMs * this.#clockRate) / 1000);
    return {
      type: 'sender-report',
      ssrc: this.ssrc,
      ntp: toNtp(nowMs),
      rtpTimestamp: modulo32(this.#lastFrame.rtpTimestamp + ticks),
      packetCount: this.#mediaPackets >>> 0,
      octetCount: modulo32(this.#octets),
      reports: [],
    };
  }

  stats(): SenderStats {
    const report = this.#report;
    return {
      packets: this.#mediaPackets,
      ...this.#stats,
      fractionLost: (report?.fractionLost ?? 0) / 256,
      packetsLost: report?.cumulativeLost ?? 0,
      jitterMs: ((report?.jitter ?? 0) * 1000) / this.#clockRate,
      rttMs: this.#path.rttMs(),
    };
  }

  /** The session's `removeSender` calls it; packets that the pacer still holds are dropped. */
  close(): void {
    this.#closed = true;
    this.#buffer.clear();
    this.removeAllListeners();
  }

  #transmit(index: number, media: MediaPacket): void {
    if (this.#closed) return;
    const { timestamp, marker, payload, audioLevel, captureTimeMs } = media;
    const template = captureTimeMs === undefined ? this.#template : this.#firstTemplate;
    const transportSequence = template.hasTransportSequence ? this.#path.history.next : undefined;
    const packet = this.#protect(template, this.ssrc, index, media);
    this.#mediaPackets += 1;
    this.#octets += payload.length;
    const sentMs = this.#path.scheduler.now();
    const stamps = { timestamp, captureTimeMs, sentMs, resentMs: 0 };
    const sent = { index, marker, audioLevel, transportSequence, ...stamps };
    this.#buffer.add(sent, this.#rtxTemplate ? payload : packet);
  }

  /**
   * Over RTX with the original sequence number before the payload. Without RTX the very bytes go again: a new
   * transport-wide number would put another header under the same nonce, which with GCM gives the
   * authentication key away.
   */
  #retransmit(sent: KeptPacket): void {
    const content = this.#closed ? undefined : this.#buffer.contentOf(sent);
    // The pacer may have held it for longer than the buffer.
    if (content === undefined) return;
    this.#stats.retransmitted += 1;
    const template = sent.captureTimeMs === undefined ? this.#rtxTemplate : this.#firstRtxTemplate;
    if (!template || this.rtxSsrc === undefined) {
      if (sent.transportSequence !== undefined) this.#path.history.resent(sent.transportSequence);
      this.#send(Buffer.from(content));
      return;
    }
    const payload = Buffer.allocUnsafe(content.length + 2);
    payload.writeUInt16BE(sent.index & 0xffff, 0);
    payload.set(content, 2);
    const index = this.#nextRtxIndex;
    this.#nextRtxIndex += 1;
    this.#protect(template, this.rtxSsrc, index, { ...sent, payload });
  }

  /** Encrypts and sends; each packet takes a transport-wide number of its own. */
  #protect(
    template: HeaderTemplate,
    ssrc: number,
    index: number,
    { timestamp, marker, payload, audioLevel, captureTimeMs }: MediaPacket,
  ): Buffer {
    const { srtp, history, scheduler } = this.#path;
    const nowMs = scheduler.now();
    const packet = srtp.protectRtp(
      template,
      {
        marker,
        sequenceNumber: index & 0xffff,
        timestamp,
        transportSequence: history.next & 0xffff,
        nowMs,
        ...(audioLevel !== undefined && { audioLevel }),
        ...(captureTimeMs !== undefined && { captureTimeMs }),
      },
      payload,
      ssrc,
      index,
    );
    if (template.hasTransportSequence) history.sent(packet.length, nowMs);
    this.#send(packet);
    return packet;
  }

  #send(packet: Buffer): void {
    this.#stats.bytes += packet.length;
    this.#path.send(packet);
  }
}

function modulo32(value: number): number {
  return ((value % 2 ** 32) + 2 ** 32) % 2 ** 32;
}
