/** Hand-written session descriptions of clients that are not there, down to the lines that matter. */

export const FINGERPRINT = Array.from({ length: 32 }, (_, i) => (i * 7 + 16).toString(16).toUpperCase()).join(
  ':',
);

export interface SectionOptions {
  kind?: 'audio' | 'video' | 'application';
  mid?: string | null;
  port?: number;
  direction?: string;
  /** `payload type → codec line and fmtp`. */
  codecs?: string[];
  lines?: string[];
  protocol?: string;
}

export const OPUS = [
  'a=rtpmap:111 opus/48000/2',
  'a=rtcp-fb:111 transport-cc',
  'a=fmtp:111 minptime=10;useinbandfec=1',
];
export const VP8 = [
  'a=rtpmap:96 VP8/90000',
  'a=rtcp-fb:96 nack',
  'a=rtcp-fb:96 nack pli',
  'a=rtcp-fb:96 ccm fir',
  'a=rtcp-fb:96 goog-remb',
  'a=rtcp-fb:96 transport-cc',
  'a=rtpmap:97 rtx/90000',
  'a=fmtp:97 apt=96',
];
export const VP9 = [
  'a=rtpmap:98 VP9/90000',
  'a=rtcp-fb:98 nack',
  'a=rtcp-fb:98 nack pli',
  'a=fmtp:98 profile-id=0',
  'a=rtpmap:99 rtx/90000',
  'a=fmtp:99 apt=98',
];
export const H264 = [
  'a=rtpmap:102 H264/90000',
  'a=rtcp-fb:102 nack pli',
  'a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f',
  'a=rtpmap:103 rtx/90000',
  'a=fmtp:103 apt=102',
];
export const MID_EXT = 'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid';
export const RID_EXTS = [
  'a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id',
  'a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id',
];
export const TCC_EXT = 'a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01';
export const LEVEL_EXT = 'a=extmap:14 urn:ietf:params:rtp-hdrext:ssrc-audio-level';
export const RIDS = ['a=rid:r0 send', 'a=rid:r1 send', 'a=rid:r2 send', 'a=simulcast:send r0;r1;r2'];

export function section(options: SectionOptions = {}): string {
  const { kind = 'audio', mid = '0', port = 9, direction = 'sendonly' } = options;
  if (kind === 'application') {
    return [
      `m=application ${port} UDP/DTLS/SCTP webrtc-datachannel`,
      'c=IN IP4 0.0.0.0',
      ...(mid === null ? [] : [`a=mid:${mid}`]),
      'a=sctp-port:5000',
    ].join('\r\n');
  }
  const codecs = options.codecs ?? (kind === 'audio' ? OPUS : VP8);
  const payloads = codecs.flatMap((line) => /^a=rtpmap:(\d+)/.exec(line)?.[1] ?? []);
  return [
    `m=${kind} ${port} ${options.protocol ?? 'UDP/TLS/RTP/SAVPF'} ${payloads.join(' ')}`,
    'c=IN IP4 0.0.0.0',
    ...(mid === null ? [] : [`a=mid:${mid}`]),
    `a=${direction}`,
    'a=rtcp-mux',
    'a=rtcp-rsize',
    ...codecs,
    ...(options.lines ?? [MID_EXT, TCC_EXT]),
  ].join('\r\n');
}

export interface OfferOptions {
  /** `null`: no BUNDLE group. Default: all mids. */
  bundle?: string | null;
  ufrag?: string;
  setup?: string;
  fingerprint?: string;
  lines?: string[];
}

export function offer(sections: string[], options: OfferOptions = {}): string {
  const mids = sections.flatMap((text) => /^a=mid:(.*)$/m.exec(text)?.[1]?.trim() ?? []);
  const bundle = options.bundle === undefined ? mids.join(' ') : options.bundle;
  const ufrag = options.ufrag ?? 'abcd';
  return [
    'v=0',
    'o=- 4611731400430051336 2 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    ...(bundle === null ? [] : [`a=group:BUNDLE ${bundle}`]),
    'a=extmap-allow-mixed',
    'a=ice-options:trickle',
    `a=ice-ufrag:${ufrag}`,
    `a=ice-pwd:${ufrag.repeat(24).slice(0, 24)}`,
    `a=fingerprint:sha-256 ${options.fingerprint ?? FINGERPRINT}`,
    `a=setup:${options.setup ?? 'actpass'}`,
    ...(options.lines ?? []),
    ...sections,
    '',
  ].join('\r\n');
}

/** The answer of a client that takes everything that is offered. */
export function acceptAll(
  sdp: string,
  edit: (section: string, index: number) => string = (text) => text,
): string {
  const [, ...sections] = sdp.split(/^(?=m=)/m);
  const mids: string[] = [];
  const answered = sections.map((text, index) => {
    const lines = text
      .split('\r\n')
      .filter((line) => !/^a=(candidate|ssrc|msid|ice-|end-of|setup|fingerprint)/.test(line) && line !== '')
      .map((line) => (line === 'a=sendonly' ? 'a=recvonly' : line));
    const edited = edit(lines.join('\r\n'), index);
    if (!/^m=\w+ 0 /.test(edited)) mids.push(/^a=mid:(.*)$/m.exec(edited)![1]!.trim());
    return edited;
  });
  return offer(answered, { bundle: mids.join(' '), setup: 'active' });
}
