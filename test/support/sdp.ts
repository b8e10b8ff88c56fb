/** Session descriptions written by hand, as a client with no library of ours might send them. */

const FINGERPRINT = Array.from({ length: 32 }, (_, i) => (i * 7 + 16).toString(16).toUpperCase()).join(':');

export interface OfferOptions {
  /** Number of audio sections. */
  readonly sections?: number;
  /** Value of the rtpmap, such as `opus/48000/2`. */
  readonly codec?: string;
}

/** An offer that sends audio; it describes a peer that never comes, which negotiation does not notice. */
export function publishOffer({ sections = 1, codec = 'opus/48000/2' }: OfferOptions = {}): { sdp: string } {
  const mids = Array.from({ length: sections }, (_, i) => String(i));
  const lines = [
    'v=0',
    'o=- 4611731400430051336 2 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    `a=group:BUNDLE ${mids.join(' ')}`,
    'a=msid-semantic: WMS *',
    ...mids.flatMap((mid) => [
      'm=audio 9 UDP/TLS/RTP/SAVPF 111',
      'c=IN IP4 0.0.0.0',
      'a=rtcp:9 IN IP4 0.0.0.0',
      'a=ice-ufrag:abcd',
      'a=ice-pwd:abcdefghijklmnopqrstuvwx',
      `a=fingerprint:sha-256 ${FINGERPRINT}`,
      'a=setup:actpass',
      `a=mid:${mid}`,
      'a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid',
      'a=sendonly',
      'a=rtcp-mux',
      `a=rtpmap:111 ${codec}`,
      'a=fmtp:111 minptime=10;useinbandfec=1',
      `a=ssrc:${1000 + Number(mid)} cname:someone`,
    ]),
  ];
  return { sdp: `${lines.join('\r\n')}\r\n` };
}
