/** Decides what becomes of each section of a publish offer. Nothing here has effects. */
import type { RtpCapabilities, RtpParameters } from 'mediasoup/types';
import type { MediaDescription } from 'sdp-transform';
import { MeetError } from '../../protocol/errors.ts';
import { acceptedSection, rejectedSection } from './sdp/answer.ts';
import {
  badSdp,
  type Description,
  type RemoteTransport,
  readTransport,
  type Section,
} from './sdp/description.ts';
import { matchSection, type Sending } from './sdp/sending.ts';

/** What a section was agreed to be, kept for the next offer. */
export interface AgreedSection {
  readonly mid: string;
  readonly kind: string;
  /** RTP parameters of its producer while it sends. */
  readonly rtpParameters: RtpParameters | undefined;
}

export interface SectionPlan {
  readonly section: Section;
  /** Our section of the answer, without ICE and DTLS parameters. */
  readonly answer: MediaDescription;
  readonly accepted: boolean;
  /** Present when the section sends. */
  readonly sending: Sending | undefined;
  /** The producer of the earlier offer goes on unchanged. */
  readonly keep: boolean;
}

export interface PublishPlan {
  readonly sections: readonly SectionPlan[];
  /** Where ICE and DTLS parameters are read from: the first accepted section; absent when all are rejected. */
  readonly transport: RemoteTransport | undefined;
  /** Mids of the answer's BUNDLE group; absent when the offer has none. */
  readonly bundle: readonly string[] | undefined;
}

const PROTOCOLS = new Set([
  'UDP/TLS/RTP/SAVPF',
  'TCP/DTLS/RTP/SAVPF',
  'UDP/TLS/RTP/SAVP',
  'TCP/DTLS/RTP/SAVP',
]);

/**
 * @param previous the sections agreed on earlier on the same connection, in their order.
 * @param refused mids of sections that their participant may not send now, and why
 * @throws MeetError `bad-sdp`, `no-common-codec`, or why not when nothing is left but what may not be sent
 */
export function planPublish(
  offer: Description,
  previous: readonly AgreedSection[],
  capabilities: RtpCapabilities,
  refused: ReadonlyMap<string, MeetError>,
): PublishPlan {
  if (offer.sections.length < previous.length) {
    throw badSdp('A later offer must keep the media sections of the earlier ones (RFC 3264 section 8).');
  }
  const sections: SectionPlan[] = [];
  let refusedForCodec = false;
  for (const section of offer.sections) {
    const first = !sections.some(({ accepted }) => accepted);
    if (refused.has(section.mid) || !takes(section, offer, first)) {
      sections.push(refusal(section));
      continue;
    }
    const before = previous[section.index];
    const earlier =
      before?.mid === section.mid && before.kind === section.kind ? before.rtpParameters : undefined;
    const matched = match(section, earlier);
    if (matched === undefined) {
      refusedForCodec = true;
      sections.push(refusal(section));
      continue;
    }
    const sends = section.direction === 'sendonly' || section.direction === 'sendrecv';
    sections.push({
      section,
      answer: acceptedSection(section, matched, sends),
      accepted: true,
      sending: sends ? matched : undefined,
      keep: sends && earlier !== undefined && sameStreams(earlier, matched.rtpParameters),
    });
  }
  const accepted = sections.filter((plan) => plan.accepted);
  const [reason] = refused.values();
  if (accepted.length === 0 && reason !== undefined && previous.length === 0) throw reason;
  if (accepted.length === 0 && (refusedForCodec || previous.length === 0)) {
    throw new MeetError('no-common-codec', 'No section of the offer can be used.', {
      hint: 'Offer Opus audio, or VP9, VP8, H.264 (packetization-mode=1) or AV1 video.',
    });
  }
  return {
    sections,
    transport: accepted[0] && readTransport(offer, accepted[0].section),
    bundle: offer.bundle && accepted.map(({ section }) => section.mid),
  };

  function match(section: Section, earlier: RtpParameters | undefined): Sending | undefined {
    try {
      return matchSection(section, capabilities, earlier?.codecs[0]);
    } catch (error) {
      if (error instanceof MeetError) throw error;
      throw badSdp(`Section ${section.mid} cannot be understood.`, error);
    }
  }
}

const refusal = (section: Section): SectionPlan => ({
  section,
  answer: rejectedSection(section),
  accepted: false,
  sending: undefined,
  keep: false,
});

/**
 * One transport carries everything, so only sections of the first BUNDLE group are taken, and where there is no
 * group only the first section that we can use.
 */
function takes(section: Section, { bundle }: Description, first: boolean): boolean {
  if (section.rejected) return false;
  if (section.kind !== 'audio' && section.kind !== 'video') return false;
  if (!PROTOCOLS.has(String(section.media.protocol).toUpperCase())) return false;
  // The worker takes RTP and RTCP on one port only.
  if (section.media.rtcpMux === undefined) return false;
  return bundle === undefined ? first : section.hasMid && bundle.includes(section.mid);
}

/** Whether a producer made for `a` takes what `b` describes. */
function sameStreams(a: RtpParameters, b: RtpParameters): boolean {
  const essence = ({ codecs, headerExtensions, encodings }: RtpParameters) =>
    JSON.stringify([
      codecs.map(({ mimeType, payloadType }) => [mimeType.toLowerCase(), payloadType]),
      headerExtensions?.map(({ uri, id }) => [uri, id]),
      encodings?.map(({ ssrc, rid, rtx }) => [ssrc, rid, rtx?.ssrc]),
    ]);
  return essence(a) === essence(b);
}
