/** Matches an offered section against our codecs: RTP parameters as sent by the other side, and our answer to them. */
import type {
  RtpCapabilities,
  RtpCodecParameters,
  RtpEncodingParameters,
  RtpParameters,
} from 'mediasoup/types';
import { extractRtpCapabilities, getCname } from 'mediasoup-client/handlers/sdp/commonUtils';
import * as ortc from 'mediasoup-client/ortc';
import { bySimulcastPreference, canSimulcast, codecName, isRtx } from '../codecs.ts';
import { badSdp, type Section } from './description.ts';
import { offersLayers, readEncodings, sendRids } from './encodings.ts';

const RID_EXTENSION = 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id';
const RID_EXTENSIONS = new Set<string>([
  RID_EXTENSION,
  'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id',
]);
const MID_EXTENSION = 'urn:ietf:params:rtp-hdrext:sdes:mid';

export interface Sending {
  /** What the other side will send, for the producer. */
  readonly rtpParameters: RtpParameters;
  /** The same from our side of view, for the answer. */
  readonly answerParameters: RtpParameters;
  /** Rids that we take, as listed in the offer; empty where packets are told apart in another way. */
  readonly rids: readonly string[];
}

/**
 * @param capabilities of the router.
 * @param preferred payload type that was agreed on earlier and stays if it is still offered.
 * @returns `undefined` when there is no common codec.
 * @throws MeetError `bad-sdp`
 */
export function matchSection(
  section: Section,
  capabilities: RtpCapabilities,
  preferred?: RtpCodecParameters,
): Sending | undefined {
  const kind = section.kind as 'audio' | 'video';
  // Each section for itself: payload types of one say nothing about another's (RFC 9143 section 9.1 only wants
  // equal ones to be the same codec).
  const offered = extractRtpCapabilities({ sdpObject: { ...EMPTY_SESSION, media: [section.media] } });
  dropUnusableCodecs(offered);
  ortc.validateAndNormalizeRtpCapabilities(offered);
  // Matching writes the negotiated H.264 profile into both sides.
  const extended = ortc.getExtendedRtpCapabilities(offered, structuredClone(capabilities) as Offered, false);
  const rtpParameters = ortc.getSendingRtpParameters(kind, extended) as RtpParameters;
  const answerParameters = ortc.getSendingRemoteRtpParameters(kind, extended) as RtpParameters;

  const media = rtpParameters.codecs.filter((codec) => !isRtx(codec));
  const ordered = offersLayers(section.media) ? bySimulcastPreference(media) : media;
  const kept = preferred && ordered.find((codec) => sameCodec(codec, preferred));
  const chosen = kept ?? ordered[0];
  if (chosen === undefined) return undefined;
  const take = (codecs: RtpCodecParameters[]) =>
    codecs.filter((codec) =>
      isRtx(codec) ? codec.parameters?.apt === chosen.payloadType : codec.payloadType === chosen.payloadType,
    );
  rtpParameters.codecs = take(rtpParameters.codecs);
  answerParameters.codecs = take(answerParameters.codecs);

  const negotiated = (uri: string) => rtpParameters.headerExtensions?.some((ext) => ext.uri === uri) ?? false;
  let encodings = readEncodings(section.media, {
    ridNegotiated: negotiated(RID_EXTENSION),
    rtx: rtpParameters.codecs.length > 1,
  });
  if (encodings.length > 1 && !canSimulcast(chosen)) {
    encodings = [singleStream(encodings)];
    withoutRids(rtpParameters);
    withoutRids(answerParameters);
  }
  const rids = encodings[0]?.rid === undefined ? [] : sendRids(section.media);
  const sends = section.direction === 'sendonly' || section.direction === 'sendrecv';
  if (sends && rids.length === 0 && encodings[0]?.ssrc === undefined && !negotiated(MID_EXTENSION)) {
    throw badSdp(
      `Section ${section.mid} has neither an ssrc nor the mid header extension to know its packets by.`,
    );
  }
  // VP8's temporal layers are in each packet; telling mediasoup of them lets it drop single ones.
  const layered = encodings.length > 1 && codecName(chosen) === 'vp8';
  rtpParameters.encodings = layered
    ? encodings.map((encoding) => ({ ...encoding, scalabilityMode: 'L1T3' }))
    : encodings;
  if (section.hasMid) rtpParameters.mid = section.mid;
  const cname = getCname({ offerMediaObject: section.media });
  rtpParameters.rtcp = cname === undefined || cname === '' ? {} : { cname: String(cname) };
  return { rtpParameters, answerParameters, rids };
}

/**
 * Of a codec that cannot be forwarded in layers we take one stream: the best where ssrcs are listed. Of rids it is
 * whichever the other side then sends (browsers: the first encoding), known by its mid, as the answer has neither
 * `a=simulcast` (RFC 8853 section 5.3) nor the rid header extension.
 */
function singleStream(encodings: readonly RtpEncodingParameters[]): RtpEncodingParameters {
  const best = encodings.at(-1)!;
  return best.rid === undefined ? best : {};
}

function withoutRids(parameters: RtpParameters): void {
  parameters.headerExtensions = parameters.headerExtensions?.filter(({ uri }) => !RID_EXTENSIONS.has(uri));
}

/** An empty session around a section, for functions that read whole sessions. */
const EMPTY_SESSION = {
  version: 0,
  origin: { username: '-', sessionId: 0, sessionVersion: 0, netType: 'IN', ipVer: 4, address: '0.0.0.0' },
  name: '-',
  timing: { start: 0, stop: 0 },
};

type Offered = ReturnType<typeof extractRtpCapabilities>;

/** One codec with nonsense in its parameters must not spoil those beside it. */
function dropUnusableCodecs(offered: Offered): void {
  offered.codecs = offered.codecs?.filter((codec) => {
    for (const [key, value] of Object.entries(codec.parameters ?? {})) {
      if (key === 'apt' && typeof value !== 'number') return false;
      if (key === 'packetization-mode' && typeof value !== 'number') return false;
    }
    return true;
  });
}

function sameCodec(a: RtpCodecParameters, b: RtpCodecParameters): boolean {
  return a.payloadType === b.payloadType && a.mimeType.toLowerCase() === b.mimeType.toLowerCase();
}
