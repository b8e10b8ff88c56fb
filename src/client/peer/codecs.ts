/** What the client says about codecs in SDP, when it publishes and when it answers. */
import type { Codec, VideoCodec } from '../../media/types.ts';
import type { MediaKind } from '../../protocol/model.ts';
import { EXTENSION_URI, type ExtensionName, type SdpCodec } from '../sdp/index.ts';

const CODECS: readonly Codec[] = ['opus', 'vp8', 'vp9', 'h264', 'av1'];

/** The codec of an SDP encoding name, `undefined` for one that the client cannot depacketise. */
export function codecOf(name: string): Codec | undefined {
  return CODECS.find((codec) => codec === name);
}

/** Dynamic payload types (RFC 3551 section 6); 35–65 would do as well, old stacks know only 96–127. */
const OPUS_PAYLOAD_TYPE = 111;
const VIDEO_PAYLOAD_TYPE = 96;
const RTX_PAYLOAD_TYPE = 97;

const VIDEO_FEEDBACK = ['nack', 'nack pli', 'ccm fir', 'goog-remb', 'transport-cc'];

/** Format parameters of what the encoders produce. */
const VIDEO_PARAMETERS: Readonly<Record<VideoCodec, Readonly<Record<string, string>>>> = {
  vp8: {},
  vp9: { 'profile-id': '0' },
  // Constrained baseline 3.1, the profile that every stack decodes (RFC 6184 section 8.1).
  h264: { 'level-asymmetry-allowed': '1', 'packetization-mode': '1', 'profile-level-id': '42e01f' },
  av1: { 'level-idx': '5', profile: '0', tier: '0' },
};

/** Codecs of the section that publishes Opus, in-band FEC and DTX allowed both ways (RFC 7587 section 6.1). */
export function opusCodecs(channels: 1 | 2): SdpCodec[] {
  return [
    {
      payloadType: OPUS_PAYLOAD_TYPE,
      name: 'opus',
      clockRate: 48_000,
      channels: 2,
      parameters: {
        minptime: '10',
        useinbandfec: '1',
        usedtx: '1',
        ...(channels === 2 ? { stereo: '1', 'sprop-stereo': '1' } : {}),
      },
      feedback: ['nack', 'transport-cc'],
    },
  ];
}

/** Codecs of a section that publishes video: one codec and its retransmissions. */
export function videoCodecs(codec: VideoCodec): SdpCodec[] {
  return [
    {
      payloadType: VIDEO_PAYLOAD_TYPE,
      name: codec,
      clockRate: 90_000,
      parameters: VIDEO_PARAMETERS[codec],
      feedback: VIDEO_FEEDBACK,
    },
    {
      payloadType: RTX_PAYLOAD_TYPE,
      name: 'rtx',
      clockRate: 90_000,
      parameters: { apt: String(VIDEO_PAYLOAD_TYPE) },
      feedback: [],
    },
  ];
}

const PUBLISHED_EXTENSIONS: Readonly<Record<MediaKind, readonly ExtensionName[]>> = {
  audio: ['mid', 'absSendTime', 'absCaptureTime', 'transportCc', 'audioLevel'],
  video: ['mid', 'rid', 'repairedRid', 'absSendTime', 'absCaptureTime', 'transportCc'],
};

/** Ids are the same in every section, as BUNDLE wants (RFC 8843 section 7.2); below 15 for one-byte headers. */
const EXTENSION_ID: Readonly<Record<ExtensionName, number>> = {
  mid: 1,
  rid: 2,
  repairedRid: 3,
  absSendTime: 4,
  transportCc: 5,
  audioLevel: 6,
  absCaptureTime: 7,
};

/** The header extensions that a publishing section offers. */
export function publishedExtensions(kind: MediaKind): { id: number; uri: string }[] {
  return PUBLISHED_EXTENSIONS[kind].map((name) => ({ id: EXTENSION_ID[name], uri: EXTENSION_URI[name] }));
}

/** The extensions of an offer that the client speaks. */
export function knownExtensions(
  extensions: readonly { id: number; uri: string }[],
): Partial<Record<ExtensionName, number>> {
  const known: Partial<Record<ExtensionName, number>> = {};
  for (const [name, uri] of Object.entries(EXTENSION_URI)) {
    const id = extensions.find((extension) => extension.uri === uri)?.id;
    if (id !== undefined) known[name as ExtensionName] = id;
  }
  return known;
}
