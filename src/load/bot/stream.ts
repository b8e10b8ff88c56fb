/** One stream as a bot receives it: losses, repairs, pictures and delays, mostly from headers alone. */
import { KeyframeRequester } from '../../client/rtp/keyframe-requester.ts';
import { MissingPackets } from '../../client/rtp/missing-packets.ts';
import { ReceptionStatistics } from '../../client/rtp/reception-statistics.ts';
import type { ReportBlock, RtcpPacket, SenderReport } from '../../client/rtp/rtcp/types.ts';
import type { Scheduler, Task } from '../../client/rtp/scheduler.ts';
import type { Depacketizer } from '../../media/rtp/index.ts';
import type { MediaKind } from '../../protocol/model.ts';
import type { BotFigures } from './figures.ts';
import { FrameTracker } from './frames.ts';
import type { Watch } from './watch.ts';

/** How long a packet is worth waiting for, the round trip added, as for every receiver of ours. */
const REPAIR_MS = 200;
/** The same while the round trip is not known yet. */
const UNKNOWN_ROUND_TRIP_MS = 150;
/** Without retransmission only reordering can fill a gap. */
const REORDER_MS = 60;

export interface BotStreamOptions {
  readonly kind: MediaKind;
  readonly ssrc: number;
  readonly rtxSsrc: number | undefined;
  readonly payloadType: number;
  /** Hz. */
  readonly clockRate: number;
  readonly depacketizer: Depacketizer;
  readonly nack: boolean;
  readonly pli: boolean;
  readonly figures: BotFigures;
  /** Pictures and delays are told to it. */
  readonly watch: Watch;
}

export interface StreamPath {
  readonly scheduler: Scheduler;
  readonly localSsrc: number;
  sendFeedback(packet: RtcpPacket): void;
  rttMs(): number | undefined;
}

/** What of a packet's header counts here. */
export interface ArrivedPacket {
  readonly sequenceNumber: number;
  readonly timestamp: number;
  readonly marker: boolean;
  readonly payloadType: number;
  /** When its frame was sent, on the run's clock. */
  readonly capturedMs: number | undefined;
}

export class BotStream {
  readonly options: BotStreamOptions;
  readonly #path: StreamPath;
  readonly #reception: ReceptionStatistics;
  readonly #missing: MissingPackets;
  readonly #frames: FrameTracker;
  readonly #keyframes: KeyframeRequester;
  readonly #repair: Task;
  #closed = false;

  constructor(options: BotStreamOptions, path: StreamPath) {
    this.options = options;
    this.#path = path;
    const { clockRate, figures, watch, nack } = options;
    this.#reception = new ReceptionStatistics(clockRate);
    this.#frames = new FrameTracker({
      frame: (timestamp, capturedMs, follows) =>
        watch.frame(path.scheduler.now(), timestamp, capturedMs, follows),
      broken: () => figures.add('framesBroken'),
      keyframeNeeded: () => this.#ensureKeyframe(),
    });
    this.#missing = new MissingPackets({
      nack,
      rttMs: () => path.rttMs(),
      deadlineMs: () => (nack ? REPAIR_MS + (path.rttMs() ?? UNKNOWN_ROUND_TRIP_MS) : REORDER_MS),
      onGivenUp: (sequence) => {
        figures.add('unrepaired');
        this.#frames.giveUp(sequence);
      },
    });
    this.#keyframes = new KeyframeRequester({
      scheduler: path.scheduler,
      send: () => this.#sendPli(),
      needed: () => this.#frames.looksForKeyframe && this.#reception.active(path.scheduler.now()),
    });
    this.#repair = path.scheduler.task(() => this.#requestMissing());
  }

  /** Whether the next payload has to be opened. */
  get looksForKeyframe(): boolean {
    return this.options.kind === 'video' && this.#frames.looksForKeyframe;
  }

  /**
   * Takes a packet of the stream itself.
   *
   * @param payload where it was opened
   */
  receive(packet: ArrivedPacket, payload: Buffer | undefined, nowMs: number): void {
    const { figures, kind } = this.options;
    const arrival = this.#reception.classify(packet.sequenceNumber);
    if (arrival.kind === 'stray') return;
    const { sequence } = arrival;
    this.#reception.received(packet.timestamp, arrival.kind !== 'old', nowMs);
    figures.add('packets');
    if (arrival.kind === 'old') {
      // Where there is no RTX the very packet comes again.
      const repaired = this.#missing.isRequested(sequence);
      if (!this.#missing.arrived(sequence)) {
        figures.add('duplicates');
        return;
      }
      figures.add(repaired ? 'retransmitted' : 'reordered');
      // It came after all, if only in another order.
      if (!repaired) figures.add('lost', -1);
    } else {
      const skipped = arrival.kind === 'new' ? arrival.skipped : 0;
      figures.add('expected', skipped + 1);
      if (arrival.kind === 'jump') this.#frames.restart(sequence);
      if (skipped > 0) {
        figures.add('lost', skipped);
        this.#missing.skipped(sequence, skipped, nowMs);
        this.#armRepair();
      }
    }
    if (kind === 'audio') this.#heard(packet, nowMs);
    else this.#addToFrames(sequence, packet, payload);
  }

  /** Takes what a retransmission brings (RFC 4588 section 4): `payload` begins with the original sequence number. */
  receiveRtx(packet: ArrivedPacket, payload: Buffer, nowMs: number): void {
    const { figures, kind } = this.options;
    // Senders probe the bandwidth with RTX packets of padding only.
    if (payload.length < 2) return;
    figures.add('retransmitted');
    const sequence = this.#reception.locate(payload.readUInt16BE(0));
    if (sequence === undefined || !this.#missing.arrived(sequence)) {
      figures.add('duplicates');
      return;
    }
    if (kind === 'audio') this.#heard(packet, nowMs);
    else this.#addToFrames(sequence, packet, payload.subarray(2));
  }

  /** Whether a checked payload is what it should be at this place of the stream. */
  isPlausible(packet: ArrivedPacket, payload: Buffer): boolean {
    const { kind, depacketizer, payloadType } = this.options;
    if (packet.payloadType !== payloadType) return true;
    if (payload.length === 0) return true;
    if (kind === 'audio') return true;
    const starts = startsFrame(depacketizer, payload);
    return starts !== undefined && (!starts || this.#frames.begins(packet.timestamp));
  }

  handleSenderReport(report: SenderReport, nowMs: number): void {
    this.#reception.senderReport(report.ntp, nowMs);
  }

  reportBlock(nowMs: number): ReportBlock | undefined {
    return this.#reception.report(this.options.ssrc, nowMs);
  }

  /** Interarrival jitter, milliseconds; `undefined` while nothing comes. */
  jitterMs(nowMs: number): number | undefined {
    return this.#reception.active(nowMs) ? this.#reception.jitterMs : undefined;
  }

  close(): void {
    this.#closed = true;
    this.#repair.cancel();
    this.#keyframes.close();
  }

  #heard({ timestamp, capturedMs }: ArrivedPacket, nowMs: number): void {
    this.options.watch.frame(nowMs, timestamp, capturedMs, true);
  }

  #addToFrames(sequence: number, packet: ArrivedPacket, payload: Buffer | undefined): void {
    const { timestamp, marker, capturedMs } = packet;
    const keyframe = payload === undefined ? undefined : startsKeyframe(this.options.depacketizer, payload);
    this.#frames.add({ sequence, timestamp, marker, capturedMs, keyframe });
  }

  #requestMissing(): void {
    const due = this.#missing.due(this.#path.scheduler.now());
    if (due.length > 0) {
      this.options.figures.add('nacks', due.length);
      this.#path.sendFeedback({
        type: 'nack',
        senderSsrc: this.#path.localSsrc,
        mediaSsrc: this.options.ssrc,
        sequenceNumbers: due.map((sequence) => sequence & 0xffff),
      });
    }
    this.#armRepair();
  }

  #armRepair(): void {
    const next = this.#missing.nextMs();
    if (next !== undefined) this.#repair.schedule(next);
  }

  #ensureKeyframe(): void {
    if (!this.#closed && this.options.pli) this.#keyframes.ensure();
  }

  #sendPli(): void {
    this.options.figures.add('plis');
    const { localSsrc: senderSsrc } = this.#path;
    this.#path.sendFeedback({ type: 'picture-loss-indication', senderSsrc, mediaSsrc: this.options.ssrc });
  }
}

function startsKeyframe(depacketizer: Depacketizer, payload: Buffer): boolean {
  try {
    return depacketizer.isFrameStart(payload) && depacketizer.isKeyFrameStart(payload);
  } catch {
    return false;
  }
}

/** `undefined` for a payload that cannot be read. */
function startsFrame(depacketizer: Depacketizer, payload: Buffer): boolean | undefined {
  try {
    return depacketizer.isFrameStart(payload);
  } catch {
    return undefined;
  }
}
