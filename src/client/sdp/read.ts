import {
  type MediaDescription,
  type ParamMap,
  parse,
  parseParams,
  type SessionDescription,
} from 'sdp-transform';
import { MeetError } from '../../protocol/errors.ts';
import type { RemoteTransportParameters } from '../transport/types.ts';
import type { Direction, SdpCodec, SdpSection, SdpStream } from './types.ts';

export interface ReadSession {
  readonly transport: RemoteTransportParameters;
  readonly sections: readonly SdpSection[];
}

/**
 * Reads a description of the server. All sections are taken to share the first usable one's transport, as
 * BUNDLE says.
 *
 * @throws MeetError `bad-sdp`
 */
export function readSessionDescription(sdp: string): ReadSession {
  let session: SessionDescription;
  try {
    session = parse(sdp);
  } catch (cause) {
    throw new MeetError('bad-sdp', 'The server sent a session description that cannot be parsed.', { cause });
  }
  const media = session.media.filter((section) => section.type === 'audio' || section.type === 'video');
  const bundle = media.find((section) => section.port !== 0) ?? media[0];
  if (bundle === undefined) throw new MeetError('bad-sdp', 'The session description has no media section.');
  return { transport: readTransport(session, bundle), sections: media.map(readSection) };
}

function readTransport(session: SessionDescription, media: MediaDescription): RemoteTransportParameters {
  const usernameFragment = media.iceUfrag ?? session.iceUfrag;
  const password = media.icePwd ?? session.icePwd;
  const fingerprints = [media.fingerprint ?? session.fingerprint].filter((print) => print !== undefined);
  if (usernameFragment === undefined || password === undefined || fingerprints.length === 0) {
    throw new MeetError('bad-sdp', 'The session description lacks ICE credentials or a fingerprint.');
  }
  const setup = media.setup ?? session.setup ?? 'actpass';
  return {
    usernameFragment: String(usernameFragment),
    password: String(password),
    iceLite: session.icelite !== undefined,
    candidates: (media.candidates ?? []).map((candidate) =>
      [
        candidate.foundation,
        candidate.component,
        candidate.transport,
        candidate.priority,
        candidate.ip,
        candidate.port,
        'typ',
        candidate.type,
        ...(candidate.tcptype === undefined ? [] : ['tcptype', candidate.tcptype]),
      ].join(' '),
    ),
    fingerprints: fingerprints.map(({ type, hash }) => ({ algorithm: type, value: hash })),
    dtlsRole: setup === 'active' ? 'server' : 'client',
  };
}

function readSection(media: MediaDescription): SdpSection {
  const ssrcs = media.ssrcs ?? [];
  const attribute = (name: string) => ssrcs.find((line) => line.attribute === name)?.value;
  const cname = attribute('cname');
  // Servers write the msid as a section attribute, old ones only beside the SSRC.
  const msid = media.msid?.[0];
  const [streamId, trackId] =
    msid === undefined ? (attribute('msid') ?? '').split(' ') : [msid.id, msid.appdata];
  return {
    mid: String(media.mid ?? ''),
    kind: media.type === 'audio' ? 'audio' : 'video',
    direction: (media.direction ?? 'sendrecv') as Direction,
    rejected: media.port === 0,
    codecs: readCodecs(media),
    extensions: (media.ext ?? []).map(({ value, uri }) => ({ id: value, uri })),
    streams: readStreams(media),
    ...(cname === undefined ? {} : { cname }),
    ...(streamId && trackId ? { msid: { streamId, trackId } } : {}),
  };
}

function readCodecs(media: MediaDescription): SdpCodec[] {
  return media.rtp.map((rtp) => ({
    payloadType: rtp.payload,
    name: rtp.codec.toLowerCase(),
    clockRate: rtp.rate ?? 90_000,
    ...(rtp.encoding === undefined ? {} : { channels: Number(rtp.encoding) }),
    parameters: readParameters(media.fmtp.find((line) => line.payload === rtp.payload)?.config),
    feedback: (media.rtcpFb ?? [])
      .filter((line) => line.payload === '*' || Number(line.payload) === rtp.payload)
      // Some stacks write a space where the subtype would be.
      .map((line) => (line.subtype ? `${line.type} ${line.subtype}` : line.type)),
  }));
}

function readParameters(config: string | undefined): Record<string, string> {
  const parameters: ParamMap = config === undefined ? {} : parseParams(config);
  return Object.fromEntries(Object.entries(parameters).map(([key, value]) => [key, String(value)]));
}

function readStreams(media: MediaDescription): SdpStream[] {
  const pairs = (media.ssrcGroups ?? [])
    .filter((group) => group.semantics === 'FID')
    .map((group) => group.ssrcs.split(' ').map(Number));
  const repair = new Set(pairs.map(([, rtx]) => rtx));
  const primary = new Set(
    (media.ssrcs ?? []).map((line) => Number(line.id)).filter((ssrc) => !repair.has(ssrc)),
  );
  return [...primary].map((ssrc) => {
    const rtxSsrc = pairs.find(([first]) => first === ssrc)?.[1];
    return rtxSsrc === undefined ? { ssrc } : { ssrc, rtxSsrc };
  });
}
