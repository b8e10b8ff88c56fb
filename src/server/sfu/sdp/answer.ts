/** Media sections of our answer to a publish offer. */
import { RemoteAnswerMediaSection } from 'mediasoup-client/handlers/sdp/RemoteMediaSection';
import type { MediaDescription } from 'sdp-transform';
import type { Section } from './description.ts';
import type { Sending } from './sending.ts';

/**
 * What Chromium starts its bandwidth estimate with, kbit/s. By itself it starts at 300 and grows by 8 % a second:
 * a 720p simulcast layer came after 22 s on loopback, after 6 s with 1000 and at once with 1500. Congestion
 * control takes it back on a slower uplink.
 */
const START_BITRATE_KBPS = 1_500;

/** RFC 3264 section 6: port 0, everything else as offered enough to be valid. */
export function rejectedSection({ media, hasMid, mid, kind }: Section): MediaDescription {
  const isRtp = kind === 'audio' || kind === 'video';
  return {
    type: media.type,
    port: 0,
    protocol: media.protocol,
    payloads: String(media.payloads ?? '0'),
    connection: { version: 4, ip: '0.0.0.0' },
    ...(hasMid ? { mid } : {}),
    ...(isRtp ? { direction: 'inactive' as const } : {}),
    rtp: [],
    fmtp: [],
  };
}

/** An accepted section, without our ICE and DTLS parameters. `receiving` says whether we take media on it. */
export function acceptedSection(
  { media, hasMid, mid }: Section,
  { rtpParameters, answerParameters, rids }: Sending,
  receiving: boolean,
): MediaDescription {
  const section: MediaDescription = {
    ...new RemoteAnswerMediaSection({
      offerMediaObject: media,
      offerRtpParameters: rtpParameters as never,
      answerRtpParameters: answerParameters as never,
      ...(media.type === 'video' ? { codecOptions: { videoGoogleStartBitrate: START_BITRATE_KBPS } } : {}),
    }).getObject(),
  };
  delete section.mid;
  delete section.simulcast;
  delete section.simulcast_03;
  delete section.rids;
  if (hasMid) section.mid = mid;
  section.direction = receiving ? 'recvonly' : 'inactive';
  if (media.rtcpRsize === undefined) delete section.rtcpRsize;
  if (rids.length > 0) {
    section.rids = rids.map((id) => ({ id, direction: 'recv' }));
    if (media.simulcast !== undefined) section.simulcast = { dir1: 'recv', list1: rids.join(';') };
  }
  return section;
}
