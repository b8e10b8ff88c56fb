/** What every router forwards. */
import type { RouterRtpCodecCapability, RtpCapabilities, RtpCodecParameters } from 'mediasoup/types';

/** Only packetization mode 1 (RFC 6184 section 6.3): mode 0 cannot split a NAL unit over packets. */
const h264 = (profileLevelId: string): RouterRtpCodecCapability => ({
  kind: 'video',
  mimeType: 'video/H264',
  clockRate: 90_000,
  parameters: {
    'packetization-mode': 1,
    'profile-level-id': profileLevelId,
    'level-asymmetry-allowed': 1,
  },
});

/**
 * In order of preference; an answer takes the first that the offer has too. H.264 comes in three profiles
 * because profiles do not match one another: constrained baseline (all browsers), main and high (hardware
 * encoders and most H.264 files).
 */
export const MEDIA_CODECS: readonly RouterRtpCodecCapability[] = [
  {
    kind: 'audio',
    mimeType: 'audio/opus',
    clockRate: 48_000,
    channels: 2,
    parameters: { minptime: 10, useinbandfec: 1, usedtx: 1, stereo: 1, 'sprop-stereo': 1 },
  },
  { kind: 'video', mimeType: 'video/VP9', clockRate: 90_000, parameters: { 'profile-id': 0 } },
  { kind: 'video', mimeType: 'video/VP8', clockRate: 90_000 },
  h264('42e01f'),
  h264('4d0032'),
  h264('640032'),
  { kind: 'video', mimeType: 'video/AV1', clockRate: 90_000 },
];

/**
 * Codecs of which the worker forwards several encodings, in order of preference; it refuses producers with more than
 * one of any other. So a section that offers simulcast gets VP8 if it has it at all.
 */
const SIMULCAST_CODECS = ['vp8', 'h264'];

const HEADER_EXTENSIONS = new Set([
  'urn:ietf:params:rtp-hdrext:sdes:mid',
  'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id',
  'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id',
  'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
  'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
  'urn:ietf:params:rtp-hdrext:ssrc-audio-level',
  'urn:3gpp:video-orientation',
  'http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time',
  'https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension',
]);

/** A router's capabilities with the header extensions that we negotiate; the rest costs bytes in each packet. */
export function negotiable(capabilities: RtpCapabilities): RtpCapabilities {
  return {
    codecs: capabilities.codecs ?? [],
    headerExtensions: (capabilities.headerExtensions ?? []).filter((ext) => HEADER_EXTENSIONS.has(ext.uri)),
  };
}

export function isRtx(codec: { readonly mimeType: string }): boolean {
  return codec.mimeType.toLowerCase().endsWith('/rtx');
}

export function canSimulcast(codec: { readonly mimeType: string }): boolean {
  return SIMULCAST_CODECS.includes(codecName(codec));
}

/** Puts the codecs that can do simulcast first. */
export function bySimulcastPreference(codecs: readonly RtpCodecParameters[]): RtpCodecParameters[] {
  const rank = (codec: RtpCodecParameters) =>
    canSimulcast(codec) ? SIMULCAST_CODECS.indexOf(codecName(codec)) : SIMULCAST_CODECS.length;
  return [...codecs].sort((a, b) => rank(a) - rank(b));
}

/** Lower-case codec name without its kind: `vp8`. */
export function codecName(codec: { readonly mimeType: string }): string {
  return codec.mimeType.slice(codec.mimeType.indexOf('/') + 1).toLowerCase();
}

/**
 * What a receiver must be able to decode, as one text: the codec, and for H.264 and VP9 its profile
 * (the first two bytes of `profile-level-id`; the level only bounds the size).
 */
export function codecKey(codec: {
  readonly mimeType: string;
  readonly parameters?: Record<string, unknown>;
}): string {
  const name = codecName(codec);
  const parameters = codec.parameters ?? {};
  if (name === 'h264') return `h264/${String(parameters['profile-level-id'] ?? '').slice(0, 4)}`;
  if (name === 'vp9') return `vp9/${String(parameters['profile-id'] ?? 0)}`;
  return name;
}
