/** The `codecs` parameter of a media type (RFC 6381), as MSE, WebCodecs, DASH and HLS take it. */
import type { Codec } from '../types.ts';
import { splitObus } from './av1-obu.ts';
import { keyframeSequenceHeader } from './av1-sequence-header.ts';
import { NAL, nalType, splitAnnexB } from './h264-nal.ts';
import { parseH264Sps } from './h264-sps.ts';
import { parseVp9FrameHeader } from './vp9-frame.ts';

/** Largest luma picture and ten times the level, VP9 levels 1 to 6.2 by picture size alone. */
const VP9_LEVELS = [
  [36_864, 10],
  [73_728, 11],
  [122_880, 20],
  [245_760, 21],
  [552_960, 30],
  [983_040, 31],
  [2_228_224, 40],
  [8_912_896, 50],
  [35_651_584, 60],
] as const;

/** The codec string that the keyframe's headers give; `undefined` where it is no keyframe of that codec. */
export function codecString(codec: Codec, keyframe: Buffer): string | undefined {
  switch (codec) {
    case 'opus':
    case 'vp8':
      return codec;
    case 'vp9':
      return vp9String(keyframe);
    case 'h264':
      return h264String(keyframe);
    case 'av1':
      return av1String(keyframe);
  }
}

function vp9String(keyframe: Buffer): string | undefined {
  const header = parseVp9FrameHeader(keyframe);
  if (header?.width === undefined || header.height === undefined) return undefined;
  const luma = header.width * header.height;
  const level = VP9_LEVELS.find(([largest]) => luma <= largest)?.[1] ?? 62;
  return `vp09.${two(header.profile)}.${two(level)}.${two(header.bitDepth ?? 8)}`;
}

function h264String(keyframe: Buffer): string | undefined {
  const nal = splitAnnexB(keyframe).find((candidate) => nalType(candidate) === NAL.sps);
  const sps = nal && parseH264Sps(nal);
  return sps && `avc1.${[sps.profile, sps.constraints, sps.level].map(hex).join('')}`;
}

function av1String(keyframe: Buffer): string | undefined {
  const sequence = keyframeSequenceHeader(splitObus(keyframe) ?? []);
  if (sequence === undefined) return undefined;
  const tier = sequence.tier === 0 ? 'M' : 'H';
  return `av01.${sequence.profile}.${two(sequence.level)}${tier}.${two(sequence.bitDepth)}`;
}

const two = (value: number) => String(value).padStart(2, '0');
const hex = (value: number) => value.toString(16).padStart(2, '0');
