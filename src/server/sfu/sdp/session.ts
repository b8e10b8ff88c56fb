/** Writes our session descriptions. */
import { randomInt } from 'node:crypto';
import type { IceCandidate, IceParameters } from 'mediasoup/types';
import { type MediaDescription, write } from 'sdp-transform';

/** What our side of a connection tells about itself. */
export interface LocalTransport {
  readonly iceParameters: IceParameters;
  readonly iceCandidates: readonly IceCandidate[];
  readonly dtlsParameters: { readonly fingerprints: readonly { algorithm: string; value: string }[] };
}

export interface SessionOptions {
  /** Stays the same through a connection's life (RFC 8866 section 5.2). */
  readonly sessionId: number;
  readonly version: number;
  readonly transport: LocalTransport;
  /** Mids of the sections that share the transport; no BUNDLE group where absent. */
  readonly bundle?: readonly string[];
  readonly extmapAllowMixed: boolean;
  readonly media: readonly MediaDescription[];
}

export const newSessionId = (): number => randomInt(1, 2 ** 47);

export function writeSession(options: SessionOptions): string {
  const { transport, bundle, media } = options;
  const { fingerprints } = transport.dtlsParameters;
  const fingerprint = fingerprints.find(({ algorithm }) => algorithm === 'sha-256') ?? fingerprints.at(-1)!;
  return write({
    version: 0,
    origin: {
      username: '-',
      sessionId: options.sessionId,
      sessionVersion: options.version,
      netType: 'IN',
      ipVer: 4,
      address: '127.0.0.1',
    },
    name: '-',
    timing: { start: 0, stop: 0 },
    icelite: 'ice-lite',
    iceOptions: 'ice2',
    fingerprint: { type: fingerprint.algorithm, hash: fingerprint.value },
    ...(bundle === undefined || bundle.length === 0
      ? {}
      : { groups: [{ type: 'BUNDLE', mids: bundle.join(' ') }] }),
    msidSemantic: { semantic: 'WMS', token: '*' },
    ...(options.extmapAllowMixed ? { extmapAllowMixed: 'extmap-allow-mixed' as const } : {}),
    media: [...media],
  });
}

/**
 * Puts our ICE parameters into a section. All sections carry the credentials, as not every stack looks for them
 * in the first section of the bundle only; the candidates are said once (`tagged`), they are the bulk of it.
 */
export function withTransport(
  media: MediaDescription,
  transport: LocalTransport,
  { tagged, setup }: { tagged: boolean; setup: 'actpass' | 'active' | 'passive' },
): MediaDescription {
  const { iceParameters } = transport;
  const section: MediaDescription = {
    ...media,
    ...(media.rtcpFb === undefined ? {} : { rtcpFb: media.rtcpFb.map(withoutEmptySubtype) }),
    connection: { version: 4, ip: '0.0.0.0' },
    port: 9,
    setup,
    iceUfrag: iceParameters.usernameFragment,
    icePwd: iceParameters.password,
  };
  if (tagged) {
    section.candidates = transport.iceCandidates.map((candidate) => ({
      foundation: candidate.foundation,
      component: 1,
      transport: candidate.protocol,
      priority: candidate.priority,
      ip: candidate.address,
      port: candidate.port,
      type: candidate.type,
      ...(candidate.tcpType === undefined ? {} : { tcptype: candidate.tcpType }),
    }));
    section.endOfCandidates = 'end-of-candidates';
  }
  return section;
}

/** The worker's feedback without a subtype has an empty one, which would be written as a space at the line's end. */
function withoutEmptySubtype({ subtype, ...feedback }: NonNullable<MediaDescription['rtcpFb']>[number]) {
  return subtype ? { ...feedback, subtype } : feedback;
}
