/** RTCP packets that the session reads and writes. */
import type { NtpTime } from '../ntp.ts';

/** RFC 3550 section 6.4.1. */
export interface ReportBlock {
  readonly ssrc: number;
  /** 0 to 255: the fraction times 256. */
  readonly fractionLost: number;
  /** Signed 24 bits: duplicates make it negative. */
  readonly cumulativeLost: number;
  /** Extended highest sequence number: cycles in the upper, sequence number in the lower 16 bits. */
  readonly highestSequence: number;
  /** In units of the RTP clock. */
  readonly jitter: number;
  /** Compact NTP time of the last sender report, 0 if none came. */
  readonly lastSenderReport: number;
  /** Since then, in 1/65536 s. */
  readonly delaySinceLastSenderReport: number;
}

export interface SenderReport {
  readonly type: 'sender-report';
  readonly ssrc: number;
  readonly ntp: NtpTime;
  readonly rtpTimestamp: number;
  readonly packetCount: number;
  readonly octetCount: number;
  /** At most 31. */
  readonly reports: readonly ReportBlock[];
}

export interface ReceiverReport {
  readonly type: 'receiver-report';
  readonly ssrc: number;
  readonly reports: readonly ReportBlock[];
}

/** SDES with CNAME items; other items are passed over. */
export interface SourceDescription {
  readonly type: 'source-description';
  readonly chunks: readonly { readonly ssrc: number; readonly cname: string }[];
}

export interface Goodbye {
  readonly type: 'goodbye';
  readonly ssrcs: readonly number[];
  readonly reason?: string;
}

/** Generic NACK (RFC 4585 section 6.2.1). */
export interface Nack {
  readonly type: 'nack';
  readonly senderSsrc: number;
  readonly mediaSsrc: number;
  /** In the order asked for, 16 bits each. */
  readonly sequenceNumbers: readonly number[];
}

/** RFC 4585 section 6.3.1. */
export interface PictureLossIndication {
  readonly type: 'picture-loss-indication';
  readonly senderSsrc: number;
  /** Some senders leave it 0. */
  readonly mediaSsrc: number;
}

/** RFC 5104 section 4.3.1; its media SSRC is 0, and each entry names the SSRC that it is for. */
export interface FullIntraRequest {
  readonly type: 'full-intra-request';
  readonly senderSsrc: number;
  readonly mediaSsrc: number;
  readonly entries: readonly { readonly ssrc: number; readonly sequenceNumber: number }[];
}

/** draft-alvestrand-rmcat-remb-03. */
export interface ReceiverEstimatedMaximumBitrate {
  readonly type: 'remb';
  readonly senderSsrc: number;
  /** Bits a second; the wire keeps 18 bits of precision. */
  readonly bitrate: number;
  readonly ssrcs: readonly number[];
}

/** draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1. */
export interface TransportFeedback {
  readonly type: 'transport-feedback';
  readonly senderSsrc: number;
  readonly mediaSsrc: number;
  readonly baseSequence: number;
  /** Signed 24 bits, in units of 64 ms. */
  readonly referenceTime: number;
  /** 8 bits. */
  readonly feedbackCount: number;
  /**
   * For each packet from the base on: its arrival after the packet received before it (the first: after the
   * reference time) in units of 250 µs, −32768 to 32767; `undefined` for one that was not received.
   */
  readonly deltas: readonly (number | undefined)[];
}

/** RFC 3611: receiver reference time and the answers to it; they give receivers a round trip. */
export interface ExtendedReport {
  readonly type: 'extended-report';
  readonly ssrc: number;
  readonly referenceTime?: NtpTime;
  readonly answers: readonly {
    readonly ssrc: number;
    /** Compact NTP time. */
    readonly lastReference: number;
    /** In 1/65536 s. */
    readonly delay: number;
  }[];
}

export type RtcpPacket =
  | SenderReport
  | ReceiverReport
  | SourceDescription
  | Goodbye
  | Nack
  | PictureLossIndication
  | FullIntraRequest
  | ReceiverEstimatedMaximumBitrate
  | TransportFeedback
  | ExtendedReport;

/** What a codec of one packet type makes: the count or format bits, the packet type and what follows. */
export interface RtcpBody {
  readonly count: number;
  readonly packetType: number;
  readonly body: Buffer;
  /** The body ends in padding, counted by its last byte. */
  readonly padded?: boolean;
}

/** RTCP packet types (IANA). */
export const packetTypes = {
  senderReport: 200,
  receiverReport: 201,
  sourceDescription: 202,
  goodbye: 203,
  transportLayerFeedback: 205,
  payloadSpecificFeedback: 206,
  extendedReport: 207,
} as const;
