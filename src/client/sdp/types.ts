/** The part of a session description (RFC 8866, RFC 8829) that the client reads and writes. */
import type { MediaKind } from '../../protocol/model.ts';

export interface SdpCodec {
  readonly payloadType: number;
  /** Lower-case encoding name: `opus`, `vp8`, `rtx` … */
  readonly name: string;
  readonly clockRate: number;
  readonly channels?: number;
  /** Format parameters; `apt` of an `rtx` codec names the payload type it repairs (RFC 4588 section 8.1). */
  readonly parameters: Readonly<Record<string, string>>;
  /** `nack`, `nack pli`, `ccm fir`, `goog-remb`, `transport-cc` … */
  readonly feedback: readonly string[];
}

export interface SdpStream {
  readonly ssrc: number;
  /** Of the retransmission stream, from `a=ssrc-group:FID` (RFC 5576 section 4.2). */
  readonly rtxSsrc?: number;
}

export type Direction = 'sendonly' | 'recvonly' | 'sendrecv' | 'inactive';

export interface SdpSection {
  readonly mid: string;
  readonly kind: MediaKind;
  readonly direction: Direction;
  /** Port 0: the other side does not take the section (RFC 3264 section 6). */
  readonly rejected: boolean;
  readonly codecs: readonly SdpCodec[];
  readonly extensions: readonly { readonly id: number; readonly uri: string }[];
  readonly streams: readonly SdpStream[];
  readonly cname?: string;
  readonly msid?: { readonly streamId: string; readonly trackId: string };
  /** Simulcast layers to send, lowest first (RFC 8853, RFC 8851). */
  readonly sendRids?: readonly string[];
}

/** What `a=setup` says of the side that wrote the description (RFC 4145). */
export type DtlsSetup = 'active' | 'passive' | 'actpass';

/** Header extensions that the client speaks, by their URIs. */
export const EXTENSION_URI = {
  mid: 'urn:ietf:params:rtp-hdrext:sdes:mid',
  rid: 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id',
  repairedRid: 'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id',
  absSendTime: 'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
  absCaptureTime: 'http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time',
  transportCc: 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
  audioLevel: 'urn:ietf:params:rtp-hdrext:ssrc-audio-level',
} as const;
export type ExtensionName = keyof typeof EXTENSION_URI;
