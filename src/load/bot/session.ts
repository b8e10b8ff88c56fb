/** RTP and RTCP of a bot's receiving connection: headers are read, a sample of the payloads is opened. */
import { ArrivalRecorder } from '../../client/rtp/arrival-recorder.ts';
import type { Clock } from '../../client/rtp/clock.ts';
import { readAbsCaptureTime, roundTripMs } from '../../client/rtp/ntp.ts';
import { isRtcp, parseRtpHeader, readExtension, stripPadding } from '../../client/rtp/packet.ts';
import { Reporter } from '../../client/rtp/reporter.ts';
import { RoundTrip } from '../../client/rtp/round-trip.ts';
import { parseRtcp, serializeRtcp } from '../../client/rtp/rtcp/compound.ts';
import type { ReportBlock, RtcpPacket } from '../../client/rtp/rtcp/types.ts';
import { Scheduler } from '../../client/rtp/scheduler.ts';
import { SrtpInbound } from '../../client/rtp/srtp/inbound.ts';
import { SrtpOutbound } from '../../client/rtp/srtp/outbound.ts';
import type { SrtpKeys } from '../../client/transport/types.ts';
import type { BotFigures } from './figures.ts';
import { type ArrivedPacket, BotStream, type BotStreamOptions, type StreamPath } from './stream.ts';

export interface BotSessionOptions {
  readonly send: (packet: Buffer) => void;
  readonly keys: SrtpKeys;
  readonly cname: string;
  readonly clock: Clock;
  readonly figures: BotFigures;
  /** One packet in so many is opened and checked; 1 opens all. */
  readonly checkOneIn: number;
}

/** Ids of the header extensions that are read, 0 for those that were not negotiated. */
export interface ReadExtensions {
  readonly transportCc: number;
  readonly captureTime: number;
}

/**
 * Transport-wide feedback is most of what a bot sends, and each costs as much as four received packets. This is well
 * within what browsers do (50 to 250 ms by the bitrate).
 */
const FEEDBACK_MS = 200;
let turnMs: number | undefined;

/**
 * When the packets of this turn of the event loop were there, as far as it can be known: those behind a hundred others
 * were not delayed by the network while the others were read, and the sender must not be told so.
 */
function turnBegan(nowMs: number): number {
  if (turnMs === undefined) {
    turnMs = nowMs;
    setImmediate(() => {
      turnMs = undefined;
    });
  }
  return turnMs;
}

const NO_SENDERS = new Map<never, never>();

/**
 * What a bot's receiving connection says and hears. To the server it is a client like any other: receiver reports,
 * round-trip reports, NACK, PLI and transport-wide feedback are those of the real client. Opening a packet costs more
 * than all the rest together, and tells nothing that the header does not but that it can be opened; so a sample is
 * opened, besides what could begin a keyframe when one is needed, and all of what is retransmitted, which has its
 * sequence number in the encrypted part.
 */
export class BotSession {
  readonly #options: BotSessionOptions;
  readonly #scheduler: Scheduler;
  readonly #inbound: SrtpInbound;
  readonly #outbound: SrtpOutbound;
  readonly #arrivals: ArrivalRecorder;
  readonly #reporter: Reporter;
  readonly #roundTrip = new RoundTrip();
  readonly #path: StreamPath;
  readonly #streams = new Map<number, BotStream>();
  readonly #reporting = new Set<{ reportBlock(nowMs: number): ReportBlock | undefined }>();
  #extensions: ReadExtensions = { transportCc: 0, captureTime: 0 };
  #untilCheck: number;
  #closed = false;

  constructor(options: BotSessionOptions) {
    this.#options = options;
    const { keys, clock, cname, checkOneIn } = options;
    this.#scheduler = new Scheduler(clock);
    this.#inbound = new SrtpInbound(keys.profile, keys.remoteKey, keys.remoteSalt);
    this.#outbound = new SrtpOutbound(keys.profile, keys.localKey, keys.localSalt);
    // Bots that start together do not check together.
    this.#untilCheck = Math.floor(Math.random() * checkOneIn);
    const localSsrc = 1 + Math.floor(Math.random() * (2 ** 32 - 1));
    this.#arrivals = new ArrivalRecorder({
      scheduler: this.#scheduler,
      senderSsrc: localSsrc,
      intervalMs: FEEDBACK_MS,
      send: (feedback) => {
        options.figures.add('feedback');
        this.#sendRtcp([feedback]);
      },
    });
    this.#reporter = new Reporter({
      scheduler: this.#scheduler,
      localSsrc,
      cname,
      senders: NO_SENDERS,
      receivers: this.#reporting,
      roundTrip: this.#roundTrip,
      send: (compound) => this.#sendRtcp(compound),
    });
    this.#path = {
      scheduler: this.#scheduler,
      localSsrc,
      sendFeedback: (packet) => this.#sendRtcp([packet]),
      rttMs: () => this.#roundTrip.ms,
    };
  }

  get rttMs(): number | undefined {
    return this.#roundTrip.ms;
  }

  get streams(): Iterable<BotStream> {
    return this.#reporting as Set<BotStream>;
  }

  addStream(options: BotStreamOptions, extensions: ReadExtensions): BotStream {
    const stream = new BotStream(options, this.#path);
    this.#streams.set(options.ssrc, stream);
    if (options.rtxSsrc !== undefined) this.#streams.set(options.rtxSsrc, stream);
    this.#reporting.add(stream);
    // The ids are the same for all streams of a transport (RFC 8285 section 5 for bundled media).
    this.#extensions = {
      transportCc: this.#extensions.transportCc || extensions.transportCc,
      captureTime: this.#extensions.captureTime || extensions.captureTime,
    };
    return stream;
  }

  removeStream(stream: BotStream): void {
    const { ssrc, rtxSsrc } = stream.options;
    if (!this.#reporting.delete(stream)) return;
    stream.close();
    this.#streams.delete(ssrc);
    if (rtxSsrc !== undefined) this.#streams.delete(rtxSsrc);
  }

  /** Takes any SRTP or SRTCP packet of the connection. */
  receive(packet: Buffer): void {
    if (this.#closed) return;
    if (isRtcp(packet)) this.#receiveRtcp(packet);
    else this.#receiveRtp(packet);
  }

  #receiveRtp(packet: Buffer): void {
    const { figures, checkOneIn } = this.#options;
    const header = parseRtpHeader(packet);
    if (header === undefined) return;
    const now = this.#scheduler.now();
    figures.add('bytes', packet.length);
    const { transportCc, captureTime } = this.#extensions;
    if (transportCc !== 0) {
      const value = readExtension(packet, header, transportCc);
      if (value?.length === 2) this.#arrivals.received(value.readUInt16BE(0), header.ssrc, turnBegan(now));
    }
    const stream = this.#streams.get(header.ssrc);
    if (stream === undefined) return;
    const captured = captureTime === 0 ? undefined : readExtension(packet, header, captureTime);
    const { sequenceNumber, timestamp, marker, payloadType } = header;
    const capturedMs = captured && readAbsCaptureTime(captured);
    const arrived: ArrivedPacket = { sequenceNumber, timestamp, marker, payloadType, capturedMs };
    if (header.ssrc === stream.options.rtxSsrc) {
      const payload = this.#open(packet, header);
      if (payload !== undefined) stream.receiveRtx(arrived, payload, now);
      return;
    }
    this.#untilCheck -= 1;
    const checked = this.#untilCheck <= 0;
    if (checked) this.#untilCheck = checkOneIn;
    const payload = checked || stream.looksForKeyframe ? this.#open(packet, header) : undefined;
    if (checked && payload !== undefined && !stream.isPlausible(arrived, payload)) figures.add('corrupt');
    stream.receive(arrived, payload, now);
  }

  /** Opens and checks a packet; `undefined` for one that is not what the server sent. */
  #open(packet: Buffer, header: NonNullable<ReturnType<typeof parseRtpHeader>>): Buffer | undefined {
    const { figures } = this.#options;
    const opened = this.#inbound.unprotectRtp(packet, header);
    const payload = opened && stripPadding(opened, header);
    figures.add('checked');
    if (payload === undefined) figures.add('corrupt');
    return payload;
  }

  #receiveRtcp(packet: Buffer): void {
    const compound = this.#inbound.unprotectRtcp(packet);
    if (compound === undefined) return;
    const now = this.#scheduler.now();
    for (const part of parseRtcp(compound)) {
      if (part.type === 'sender-report') {
        const stream = this.#streams.get(part.ssrc);
        if (stream?.options.ssrc === part.ssrc) stream.handleSenderReport(part, now);
      } else if (part.type === 'extended-report') this.#reporter.handleExtendedReport(part, now);
      else if (part.type === 'receiver-report') this.#handleReports(part.reports, now);
    }
  }

  #handleReports(reports: readonly ReportBlock[], nowMs: number): void {
    for (const { lastSenderReport, delaySinceLastSenderReport } of reports) {
      const sample = roundTripMs(nowMs, lastSenderReport, delaySinceLastSenderReport);
      if (sample !== undefined) this.#roundTrip.add(sample);
    }
  }

  #sendRtcp(packets: readonly RtcpPacket[]): void {
    if (!this.#closed) this.#options.send(this.#outbound.protectRtcp(serializeRtcp(packets)));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#scheduler.close();
    for (const stream of this.streams) stream.close();
  }
}
