/** What Matroska says of a codec: its ID, and the set-up data that a decoder needs before the first frame. */
import { joinObus, OBU, splitObus } from '../rtp/av1-obu.ts';
import { keyframeSequenceHeader } from '../rtp/av1-sequence-header.ts';
import { joinLengthPrefixed, NAL, nalType, splitAnnexB } from '../rtp/h264-nal.ts';
import { parseH264Sps } from '../rtp/h264-sps.ts';
import type { Codec } from '../types.ts';

/** Codec IDs, RFC 9559 section 27.13 and the AV1 and VP9 mappings. */
export const CODEC_IDS: Readonly<Record<Codec, string>> = {
  opus: 'A_OPUS',
  vp8: 'V_VP8',
  vp9: 'V_VP9',
  h264: 'V_MPEG4/ISO/AVC',
  av1: 'V_AV1',
};

/** WebM takes VP8, VP9, AV1 and Opus; everything else is Matroska proper. */
export function fileExtension(codec: Codec): 'webm' | 'mkv' {
  return codec === 'h264' ? 'mkv' : 'webm';
}

/**
 * CodecPrivate made of the first keyframe; empty where the codec has none, `undefined` where the frame lacks
 * what it is made of and a decoder could not start with it.
 */
export function codecPrivate(codec: Codec, keyframe: Buffer): Buffer | undefined {
  switch (codec) {
    case 'opus':
      return opusHead();
    case 'h264':
      return avcConfiguration(keyframe);
    case 'av1':
      return av1Configuration(keyframe);
    default:
      return Buffer.alloc(0);
  }
}

/**
 * OpusHead, RFC 7845 section 5.1. Two channels, as a receiver of RTP must assume (RFC 7587 section 7); no
 * pre-skip, since RTP timestamps do not count the encoder's look-ahead either.
 */
function opusHead(): Buffer {
  const head = Buffer.alloc(19);
  head.write('OpusHead', 0, 'latin1');
  head[8] = 1;
  head[9] = 2;
  head.writeUInt32LE(48_000, 12);
  return head;
}

/** AVCDecoderConfigurationRecord, ISO/IEC 14496-15 section 5.3.3.1. */
function avcConfiguration(keyframe: Buffer): Buffer | undefined {
  const nals = splitAnnexB(keyframe);
  const sps = nals.filter((nal) => nalType(nal) === NAL.sps && nal.length >= 4).slice(0, 31);
  const pps = nals.filter((nal) => nalType(nal) === NAL.pps).slice(0, 255);
  const first = sps[0];
  if (first === undefined || pps.length === 0 || parseH264Sps(first) === undefined) return undefined;
  if ([...sps, ...pps].some((nal) => nal.length > 0xffff)) return undefined;
  const counted = (nals: readonly Buffer[]) =>
    nals.flatMap((nal) => [Buffer.from([nal.length >> 8, nal.length & 0xff]), nal]);
  return Buffer.concat([
    // Version, profile, constraints, level; lengths of four bytes.
    Buffer.from([1, first[1]!, first[2]!, first[3]!, 0xff, 0xe0 | sps.length]),
    ...counted(sps),
    Buffer.from([pps.length]),
    ...counted(pps),
  ]);
}

/** AV1CodecConfigurationRecord, AV1-ISOBMFF section 2.3.3. */
function av1Configuration(keyframe: Buffer): Buffer | undefined {
  const obus = splitObus(keyframe) ?? [];
  const sequence = keyframeSequenceHeader(obus);
  const header = obus.find((obu) => obu.type === OBU.sequenceHeader);
  if (sequence === undefined || header === undefined) return undefined;
  const flags =
    (sequence.tier << 7) |
    (sequence.bitDepth > 8 ? 0x40 : 0) |
    (sequence.bitDepth === 12 ? 0x20 : 0) |
    (sequence.monochrome ? 0x10 : 0) |
    (sequence.chromaSubsamplingX ? 0x08 : 0) |
    (sequence.chromaSubsamplingY ? 0x04 : 0) |
    sequence.chromaSamplePosition;
  return Buffer.concat([
    Buffer.from([0x81, (sequence.profile << 5) | sequence.level, flags, 0]),
    joinObus([header]),
  ]);
}

/** The frame as a Matroska block holds it: H.264 with lengths in place of start codes. */
export function blockData(codec: Codec, frame: Buffer): Buffer {
  return codec === 'h264' ? joinLengthPrefixed(splitAnnexB(frame)) : frame;
}
