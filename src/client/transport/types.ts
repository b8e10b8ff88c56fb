/** The path of one peer connection: ICE, DTLS and the SRTP keys that come out of it; packets pass as they are. */
import type { IceServer } from '../../protocol/model.ts';

export interface LocalTransportParameters {
  readonly usernameFragment: string;
  readonly password: string;
  /** SHA-256 fingerprint of the local certificate, upper-case hex with colons. */
  readonly fingerprint: string;
  /** `a=candidate:` values of what was gathered. */
  readonly candidates: readonly string[];
}

export interface RemoteTransportParameters {
  readonly usernameFragment: string;
  readonly password: string;
  readonly iceLite: boolean;
  readonly candidates: readonly string[];
  readonly fingerprints: readonly { readonly algorithm: string; readonly value: string }[];
  /** Role of the *local* side: `client` where the remote description says `setup:passive` or `actpass`. */
  readonly dtlsRole: 'client' | 'server';
}

/** IANA DTLS-SRTP protection profiles that both werift and mediasoup have. */
export type SrtpProfile = 'AEAD_AES_128_GCM' | 'AES_CM_128_HMAC_SHA1_80';

/** Master keys and salts (RFC 5764 section 4.2). */
export interface SrtpKeys {
  readonly profile: SrtpProfile;
  readonly localKey: Buffer;
  readonly localSalt: Buffer;
  readonly remoteKey: Buffer;
  readonly remoteSalt: Buffer;
}

export interface SelectedPath {
  readonly protocol: 'udp' | 'tcp';
  readonly localType: 'host' | 'srflx' | 'prflx' | 'relay';
  readonly remoteAddress: string;
  readonly remotePort: number;
}

export type TransportState = 'new' | 'connecting' | 'connected' | 'disconnected' | 'failed' | 'closed';

export interface TransportEvents {
  /** One SRTP or SRTCP packet as it came; the buffer belongs to the listener. */
  packet: [packet: Buffer];
  state: [state: TransportState];
  /** The path in use changed (first connection, ICE restart). */
  path: [path: SelectedPath];
}

export interface TransportOptions {
  readonly iceServers?: readonly IceServer[];
  /** `relay` uses TURN only. */
  readonly iceTransportPolicy?: 'all' | 'relay';
  /** PEM certificate of an authority that `turns:` servers may be signed by, instead of the system's. */
  readonly turnTlsCa?: string;
  /** Time for ICE and DTLS together, milliseconds; default 10 000. */
  readonly connectTimeoutMs?: number;
}
