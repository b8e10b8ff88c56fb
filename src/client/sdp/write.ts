import { type MediaAttributes, type MediaDescription, write } from 'sdp-transform';
import type { LocalTransportParameters } from '../transport/types.ts';
import type { DtlsSetup, SdpCodec, SdpSection } from './types.ts';

export interface SessionToWrite {
  /** The same for every description of a peer connection (RFC 8866 section 5.2). */
  readonly sessionId: number;
  /** Grows by one with each description. */
  readonly version: number;
  readonly local: LocalTransportParameters;
  readonly setup: DtlsSetup;
  readonly sections: readonly SdpSection[];
}

/** Prints an offer or answer: all sections bundled, RTCP multiplexed, one transport. */
export function writeSessionDescription(session: SessionToWrite): string {
  const bundled = session.sections.filter((section) => !section.rejected).map((section) => section.mid);
  return write({
    version: 0,
    origin: {
      username: '-',
      sessionId: session.sessionId,
      sessionVersion: session.version,
      netType: 'IN',
      ipVer: 4,
      address: '127.0.0.1',
    },
    name: '-',
    timing: { start: 0, stop: 0 },
    groups: bundled.length > 0 ? [{ type: 'BUNDLE', mids: bundled.join(' ') }] : [],
    extmapAllowMixed: 'extmap-allow-mixed',
    msidSemantic: { semantic: 'WMS', token: '*' },
    media: session.sections.map((section) => writeSection(section, session)),
  });
}

function writeSection(section: SdpSection, { local, setup }: SessionToWrite): MediaAttributesAndDescription {
  const rtcpFb = section.codecs.flatMap((codec) => codec.feedback.map((fb) => writeFeedback(codec, fb)));
  const media: MediaAttributesAndDescription = {
    type: section.kind,
    port: section.rejected ? 0 : 9,
    protocol: 'UDP/TLS/RTP/SAVPF',
    payloads: section.codecs.map((codec) => codec.payloadType).join(' '),
    connection: { version: 4, ip: '0.0.0.0' },
    rtp: section.codecs.map((codec) => ({
      payload: codec.payloadType,
      codec: codec.name === 'opus' || codec.name === 'rtx' ? codec.name : codec.name.toUpperCase(),
      rate: codec.clockRate,
      ...(codec.channels !== undefined && codec.channels > 1 ? { encoding: codec.channels } : {}),
    })),
    fmtp: section.codecs
      .filter((codec) => Object.keys(codec.parameters).length > 0)
      .map((codec) => ({
        payload: codec.payloadType,
        config: Object.entries(codec.parameters)
          .map(([key, value]) => `${key}=${value}`)
          .join(';'),
      })),
    rtcpFb,
    mid: section.mid,
    direction: section.direction,
    rtcpMux: 'rtcp-mux',
    rtcpRsize: 'rtcp-rsize',
    ext: section.extensions.map(({ id, uri }) => ({ value: id, uri })),
    iceUfrag: local.usernameFragment,
    icePwd: local.password,
    iceOptions: 'trickle',
    fingerprint: { type: 'sha-256', hash: local.fingerprint },
    setup,
  };
  if (section.msid !== undefined) media.msid = [{ id: section.msid.streamId, appdata: section.msid.trackId }];
  if (section.sendRids !== undefined && section.sendRids.length > 0) {
    media.rids = section.sendRids.map((id) => ({ id, direction: 'send' }));
    media.simulcast = { dir1: 'send', list1: section.sendRids.join(';') };
  }
  if (section.streams.length > 0) {
    media.ssrcs = section.streams.flatMap(({ ssrc, rtxSsrc }) =>
      [ssrc, ...(rtxSsrc === undefined ? [] : [rtxSsrc])].map((id) => ({
        id,
        attribute: 'cname',
        value: section.cname ?? '-',
      })),
    );
    media.ssrcGroups = section.streams
      .filter((stream) => stream.rtxSsrc !== undefined)
      .map(({ ssrc, rtxSsrc }) => ({ semantics: 'FID', ssrcs: `${ssrc} ${rtxSsrc}` }));
  }
  return media;
}

type MediaAttributesAndDescription = MediaDescription & MediaAttributes;

function writeFeedback(
  codec: SdpCodec,
  feedback: string,
): { payload: number; type: string; subtype?: string } {
  const [type = '', ...rest] = feedback.split(' ');
  return rest.length > 0
    ? { payload: codec.payloadType, type, subtype: rest.join(' ') }
    : { payload: codec.payloadType, type };
}
