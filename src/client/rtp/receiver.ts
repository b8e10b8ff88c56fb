import { EventEmitter } from 'node:events';
import type { DepacketizedFrame, Depacketizer, TemporalPosition } from '../../media/rtp/types.ts';
import type { Codec } from '../../media/types.ts';
import type { MediaKind } from '../../protocol/model.ts';
import type { ReceivedFrame, ReceiverStats } from '../types.ts';
import type { ExtensionIds } from './extensions.ts';
import { FrameRate } from './frame-rate.ts';
import { type BufferedPacket, JitterBuffer } from './jitter-buffer.ts';
import { KeyframeRequester } from './keyframe-requester.ts';
import { MissingPackets } from './missing-packets.ts';
import type { RtpHeader } from './packet.ts';
import { ReceptionStatistics } from './reception-statistics.ts';
import type { ReportBlock, RtcpPacket, SenderReport } from './rtcp/types.ts';
import type { Scheduler, Task } from './scheduler.ts';
import { SenderClock } from './sender-clock.ts';

export interface ReceivedPayload {
  readonly depacketizer: Depacketizer;
  /** Hz. */
  readonly clockRate: number;
  readonly codec: Codec;
}

export interface RtpReceiverOptions {
  readonly kind: MediaKind;
  readonly ssrc: number;
  readonly rtxSsrc?: number;
  /** By payload type. */
  readonly payloads: ReadonlyMap<number, ReceivedPayload>;
  /** Payload type of RTX → payload type of what it repairs (`apt`). */
  readonly rtxPayloads: ReadonlyMap<number, number>;
  /** Which feedback was negotiated. */
  readonly nack: boolean;
  readonly pli: boolean;
  readonly transportCc: boolean;
  readonly extensions: ExtensionIds;
  /** How long a frame waits for missing packets, milliseconds; the round trip is added. Default 200. */
  readonly maxDelayMs?: number;
  /** After a gap video goes on with a keyframe; default true. */
  readonly waitForKeyframe?: boolean;
}

/** An authenticated packet of a stream or of its RTX stream. */
export interface ReceivedPacket {
  readonly header: RtpHeader;
  /** Without padding. */
  readonly payload: Buffer;
  /** Of the whole packet, as it came. */
  readonly bytes: number;
  readonly nowMs: number;
  /** What its abs-capture-time says, milliseconds since the epoch. */
  readonly captureTimeMs: number | undefined;
  /** What its RFC 6464 extension says, −dBov. */
  readonly audioLevel: number | undefined;
}

export interface RtpReceiverEvents {
  /** A whole frame, in decoding order. */
  frame: [frame: ReceivedFrame];
  /** The sender said goodbye (RFC 3550 section 6.6). */
  bye: [];
}

/** What the session lends its receivers. */
export interface ReceivePath {
  readonly scheduler: Scheduler;
  /** SSRC that feedback comes from. */
  readonly localSsrc: number;
  sendFeedback(packet: RtcpPacket): void;
  rttMs(): number | undefined;
}

const DEFAULT_MAX_DELAY_MS = 200;
/**
 * Added to the delay while no report has told the round trip, in the first second: a first request that is lost
 * leaves no time for a second one otherwise.
 */
const UNKNOWN_ROUND_TRIP_MS = 150;
/** Without retransmission only reordering can fill a gap. */
const REORDER_DELAY_MS = 60;
/** A gap of so many packets costs a keyframe in most cases, so it is asked for at once. */
const KEYFRAME_GAP = 100;

/** Receives one stream: repairs it, and gives out whole frames in decoding order. */
export class RtpReceiver extends EventEmitter<RtpReceiverEvents> {
  readonly kind: MediaKind;
  readonly ssrc: number;
  readonly rtxSsrc: number | undefined;
  readonly #options: RtpReceiverOptions;
  readonly #path: ReceivePath;
  readonly #clockRate: number;
  readonly #reception: ReceptionStatistics;
  readonly #senderClock: SenderClock;
  readonly #missing: MissingPackets;
  readonly #buffer: JitterBuffer;
  readonly #keyframes: KeyframeRequester;
  readonly #task: Task;
  readonly #frameRate = new FrameRate();
  /** Running number of the last picture of temporal layer 0 that was given out. */
  #basePicture: number | undefined;
  #mediaTicks: number | undefined;
  #lastTimestamp = 0;
  #size: { width?: number; height?: number } = {};
  #closed = false;
  readonly #stats = {
    packets: 0,
    bytes: 0,
    retransmitted: 0,
    duplicates: 0,
    nacksSent: 0,
    plisSent: 0,
    frames: 0,
    keyframes: 0,
  };

  constructor(options: RtpReceiverOptions, path: ReceivePath) {
    super();
    this.kind = options.kind;
    this.ssrc = options.ssrc;
    this.rtxSsrc = options.rtxSsrc;
    this.#options = options;
    this.#path = path;
    // Payload types of one stream that differ in clock rate are against RFC 7160's advice and seen nowhere.
    const first = options.payloads.values().next().value;
    this.#clockRate = first?.clockRate ?? (options.kind === 'audio' ? 48_000 : 90_000);
    this.#reception = new ReceptionStatistics(this.#clockRate);
    this.#senderClock = new SenderClock(this.#clockRate);
    const rttMs = () => path.rttMs();
    const repairable = options.nack;
    const maxDelay = options.maxDelayMs ?? DEFAULT_MAX_DELAY_MS;
    const deadlineMs = () =>
      repairable ? maxDelay + (rttMs() ?? UNKNOWN_ROUND_TRIP_MS) : Math.min(REORDER_DELAY_MS, maxDelay);
    this.#missing = new MissingPackets({ nack: options.nack, deadlineMs, rttMs });
    this.#task = path.scheduler.task(() => this.#onTimer());
    const video = options.kind === 'video';
    this.#buffer = new JitterBuffer({
      packetIsFrame: !video,
      waitForKeyframe: video && (options.waitForKeyframe ?? true),
      maxDelayMs: deadlineMs,
      isFrameStart: (packet) => this.#startsFrame(packet, false),
      isKeyFrameStart: (packet) => this.#startsFrame(packet, true),
      followsDirectly: (packet) => this.#followsDirectly(packet),
      onFrame: (packets, frame) => this.#onFrame(packets, frame.gapBefore, frame.mustBeKeyframe),
      onKeyframeNeeded: () => this.#ensureKeyframe(),
      onPassed: (sequence) => this.#missing.giveUpBefore(sequence),
    });
    this.#keyframes = new KeyframeRequester({
      scheduler: path.scheduler,
      send: () => this.#sendPli(),
      needed: () => this.#buffer.waitsForKeyframe && this.#reception.active(path.scheduler.now()),
    });
  }

  /** Asks the sender for a keyframe, at most every 300 ms. Nothing happens where PLI was not negotiated. */
  requestKeyFrame(): void {
    if (this.#closed || !this.#options.pli) return;
    this.#keyframes.request();
  }

  /** Id of abs-capture-time, where it was negotiated. */
  get captureTimeId(): number | undefined {
    return this.#options.extensions.absCaptureTime;
  }

  /** Id of the audio level, where it was negotiated. */
  get audioLevelId(): number | undefined {
    return this.#options.extensions.audioLevel;
  }

  receive(packet: ReceivedPacket): void {
    if (this.#closed) return;
    this.#stats.bytes += packet.bytes;
    if (packet.header.ssrc === this.rtxSsrc) this.#receiveRtx(packet);
    else this.#receiveMedia(packet);
    this.#armBuffer();
  }

  handleSenderReport(report: SenderReport, nowMs: number): void {
    this.#reception.senderReport(report.ntp, nowMs);
    this.#senderClock.report(report);
  }

  handleBye(): void {
    if (!this.#closed) this.emit('bye');
  }

  /** Block for the next receiver report; `undefined` before the first packet. */
  reportBlock(nowMs: number): ReportBlock | undefined {
    return this.#reception.report(this.ssrc, nowMs);
  }

  stats(): ReceiverStats {
    return {
      ...this.#stats,
      lost: this.#missing.lost,
      jitterMs: this.#reception.jitterMs,
      framesDropped: this.#buffer.framesDropped,
      fps: this.#frameRate.at(this.#path.scheduler.now()),
      ...this.#size,
    };
  }

  /** The session's `removeReceiver` calls it. */
  close(): void {
    this.#closed = true;
    this.#task.cancel();
    this.#keyframes.close();
    this.removeAllListeners();
  }

  #receiveMedia(packet: ReceivedPacket): void {
    const { header, payload, nowMs } = packet;
    const arrival = this.#reception.classify(header.sequenceNumber);
    if (arrival.kind === 'stray') return;
    this.#reception.received(header.timestamp, arrival.kind !== 'old', nowMs);
    if (arrival.kind === 'jump') this.#buffer.restart(arrival.sequence);
    if (arrival.kind === 'new' && arrival.skipped > 0) {
      this.#missing.skipped(arrival.sequence, arrival.skipped, nowMs);
      this.#armRepair();
      if (arrival.skipped >= KEYFRAME_GAP) this.#ensureKeyframe();
    }
    if (
      arrival.kind === 'old' &&
      !this.#missing.arrived(arrival.sequence) &&
      this.#reception.isKnown(arrival.sequence)
    ) {
      this.#stats.duplicates += 1;
      return;
    }
    // A payload type that was not negotiated (comfort noise, DTMF) fills the sequence, as padding does.
    const known = this.#options.payloads.has(header.payloadType);
    const media = known ? payload : payload.subarray(0, 0);
    this.#insert(packet, header.payloadType, arrival.sequence, media);
  }

  /** RFC 4588 section 4: the original sequence number stands before the original payload. */
  #receiveRtx(packet: ReceivedPacket): void {
    const { header, payload } = packet;
    const payloadType = this.#options.rtxPayloads.get(header.payloadType);
    // Senders probe the bandwidth with RTX packets of padding only.
    if (payloadType === undefined || payload.length < 2) return;
    this.#stats.retransmitted += 1;
    const sequence = this.#reception.locate(payload.readUInt16BE(0));
    if (sequence === undefined || !this.#missing.arrived(sequence)) {
      this.#stats.duplicates += 1;
      return;
    }
    this.#insert(packet, payloadType, sequence, payload.subarray(2));
  }

  #insert(packet: ReceivedPacket, payloadType: number, sequence: number, payload: Buffer): void {
    this.#stats.packets += 1;
    const { header, nowMs: receivedMs, captureTimeMs, audioLevel } = packet;
    const { timestamp, marker } = header;
    this.#buffer.insert({
      sequence,
      timestamp,
      marker,
      payloadType,
      payload,
      receivedMs,
      captureTimeMs,
      audioLevel,
    });
  }

  #startsFrame(packet: BufferedPacket, keyframe: boolean): boolean {
    const depacketizer = this.#options.payloads.get(packet.payloadType)?.depacketizer;
    if (!depacketizer) return false;
    return (
      guarded(
        () =>
          depacketizer.isFrameStart(packet.payload) &&
          (!keyframe || depacketizer.isKeyFrameStart(packet.payload)),
      ) ?? false
    );
  }

  /**
   * A picture of temporal layer 0 needs the one before of its layer, a synchronisation point of another layer the last
   * of layer 0: their running number tells whether that one was given out.
   */
  #followsDirectly(packet: BufferedPacket): boolean {
    const position = this.#temporalPosition(packet);
    if (position === undefined || this.#basePicture === undefined) return false;
    const since = (position.basePicture - this.#basePicture) & 0xff;
    return position.id === 0 ? since === 1 : since === 0 && position.sync;
  }

  #temporalPosition(packet: BufferedPacket): TemporalPosition | undefined {
    const depacketizer = this.#options.payloads.get(packet.payloadType)?.depacketizer;
    return guarded(() => depacketizer?.readTemporalPosition?.(packet.payload));
  }

  #onFrame(packets: readonly BufferedPacket[], gapBefore: boolean, mustBeKeyframe: boolean): boolean {
    const first = packets[0];
    if (!first || packets.some(({ payloadType }) => payloadType !== first.payloadType)) return false;
    const depacketizer = this.#options.payloads.get(first.payloadType)?.depacketizer;
    const frame =
      depacketizer && guarded(() => depacketizer.depacketize(packets.map(({ payload }) => payload)));
    if (!frame || (mustBeKeyframe && !frame.keyframe)) return false;
    this.#basePicture = this.#temporalPosition(first)?.basePicture;
    this.#emitFrame(frame, packets, gapBefore);
    return true;
  }

  #emitFrame(frame: DepacketizedFrame, packets: readonly BufferedPacket[], gapBefore: boolean): void {
    const { timestamp: rtpTimestamp, captureTimeMs, audioLevel } = packets[0]!;
    if (captureTimeMs !== undefined) this.#senderClock.captured(rtpTimestamp, captureTimeMs);
    const ticks = this.#mediaTicks;
    this.#mediaTicks =
      ticks === undefined ? rtpTimestamp : ticks + ((rtpTimestamp - this.#lastTimestamp) | 0);
    this.#lastTimestamp = rtpTimestamp;
    const size = frame.width !== undefined &&
      frame.height !== undefined && { width: frame.width, height: frame.height };
    if (size) this.#size = size;
    const receivedAtMs = packets.reduce((latest, { receivedMs }) => Math.max(latest, receivedMs), 0);
    this.#stats.frames += 1;
    if (frame.keyframe) this.#stats.keyframes += 1;
    this.#frameRate.add(this.#path.scheduler.now());
    this.emit('frame', {
      data: frame.data,
      keyframe: frame.keyframe,
      rtpTimestamp,
      mediaTimeMs: (this.#mediaTicks * 1000) / this.#clockRate,
      captureTimeMs: this.#senderClock.captureTimeMs(rtpTimestamp),
      receivedAtMs,
      gapBefore,
      ...(size || {}),
      ...(audioLevel === undefined ? {} : { audioLevel }),
    });
  }

  #ensureKeyframe(): void {
    if (!this.#closed && this.#options.pli) this.#keyframes.ensure();
  }

  #sendPli(): void {
    this.#stats.plisSent += 1;
    const { localSsrc: senderSsrc } = this.#path;
    this.#path.sendFeedback({ type: 'picture-loss-indication', senderSsrc, mediaSsrc: this.ssrc });
  }

  #onTimer(): void {
    const now = this.#path.scheduler.now();
    this.#buffer.expire(now);
    const due = this.#missing.due(now);
    if (due.length > 0) {
      this.#stats.nacksSent += due.length;
      const { localSsrc: senderSsrc } = this.#path;
      const sequenceNumbers = due.map((sequence) => sequence & 0xffff);
      this.#path.sendFeedback({ type: 'nack', senderSsrc, mediaSsrc: this.ssrc, sequenceNumbers });
    }
    this.#armBuffer();
    this.#armRepair();
  }

  #armBuffer(): void {
    const deadline = this.#buffer.deadlineMs;
    if (deadline !== undefined) this.#task.schedule(deadline);
  }

  #armRepair(): void {
    const next = this.#missing.nextMs();
    if (next !== undefined) this.#task.schedule(next);
  }
}

/** Payloads come from strangers: one that a depacketiser stumbles over is malformed, no more. */
function guarded<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
