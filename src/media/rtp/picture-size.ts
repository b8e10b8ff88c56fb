/** Size of an encoded keyframe, by what is in it. */
import type { VideoCodec } from '../types.ts';
import { splitObus } from './av1-obu.ts';
import { keyframeSequenceHeader } from './av1-sequence-header.ts';
import { NAL, nalType, splitAnnexB } from './h264-nal.ts';
import { parseH264Sps } from './h264-sps.ts';
import { parseVp8FrameHeader } from './vp8-frame.ts';
import { parseVp9FrameHeader } from './vp9-frame.ts';

/** Pixels; `undefined` for what is no keyframe or does not say its size. Of VP9 with several layers it is the lowest's. */
export function pictureSize(codec: VideoCodec, data: Buffer): { width: number; height: number } | undefined {
  const { width, height } = headerOf(codec, data) ?? {};
  return width === undefined || height === undefined ? undefined : { width, height };
}

function headerOf(codec: VideoCodec, data: Buffer): { width?: number; height?: number } | undefined {
  switch (codec) {
    case 'vp8':
      return parseVp8FrameHeader(data);
    case 'vp9':
      return parseVp9FrameHeader(data);
    case 'av1':
      return keyframeSequenceHeader(splitObus(data) ?? []);
    case 'h264': {
      const sps = splitAnnexB(data).find((nal) => nalType(nal) === NAL.sps);
      return sps && parseH264Sps(sps);
    }
  }
}
