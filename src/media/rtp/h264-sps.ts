/** What an H.264 sequence parameter set says, ITU-T H.264 section 7.3.2.1.1. */
import { type BitReader, bitReader } from './bit-reader.ts';
import { NAL, nalType, rawPayload } from './h264-nal.ts';

export interface H264Sps {
  readonly profile: number;
  /** The byte of constraint_set flags. */
  readonly constraints: number;
  /** Ten times the level, for example 31. */
  readonly level: number;
  /** Size after cropping, in luma samples. */
  readonly width: number;
  readonly height: number;
}

/** Profiles whose parameter set says its chroma format. */
const HIGH_PROFILES = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);

/** Larger pictures than level 6.2 allows are nonsense. */
const MAX_SIDE = 16_384;

/** The largest parameter set read; real ones take about 30 bytes, one with scaling lists some hundreds. */
const MAX_SPS_BYTES = 1024;

/** Reads an SPS NAL unit; `undefined` for what is none. */
export function parseH264Sps(nal: Uint8Array): H264Sps | undefined {
  if (nalType(nal) !== NAL.sps) return undefined;
  const reader = bitReader(rawPayload(nal, MAX_SPS_BYTES));
  const profile = reader.bits(8);
  const constraints = reader.bits(8);
  const level = reader.bits(8);
  reader.ue();
  const chroma = HIGH_PROFILES.has(profile) ? readChroma(reader) : { format: 1, separate: false };
  reader.ue();
  skipPictureOrder(reader);
  reader.ue();
  reader.skip(1);
  const widthMbs = reader.ue() + 1;
  const mapUnits = reader.ue() + 1;
  const frameMbsOnly = reader.flag();
  if (!frameMbsOnly) reader.skip(1);
  reader.skip(1);
  const fields = frameMbsOnly ? 1 : 2;
  let width = widthMbs * 16;
  let height = mapUnits * 16 * fields;
  if (reader.flag()) {
    const monochrome = chroma.format === 0 || chroma.separate;
    const unitX = monochrome || chroma.format === 3 ? 1 : 2;
    const unitY = (monochrome || chroma.format !== 1 ? 1 : 2) * fields;
    width -= (reader.ue() + reader.ue()) * unitX;
    height -= (reader.ue() + reader.ue()) * unitY;
  }
  if (reader.overrun || width < 1 || height < 1 || width > MAX_SIDE || height > MAX_SIDE) return undefined;
  return { profile, constraints, level, width, height };
}

function readChroma(reader: BitReader): { format: number; separate: boolean } {
  const format = reader.ue();
  const separate = format === 3 && reader.flag();
  reader.ue();
  reader.ue();
  reader.skip(1);
  if (reader.flag()) {
    const lists = format === 3 ? 12 : 8;
    for (let i = 0; i < lists; i++) if (reader.flag()) skipScalingList(reader, i < 6 ? 16 : 64);
  }
  return { format, separate };
}

function skipScalingList(reader: BitReader, size: number): void {
  let last = 8;
  let next = 8;
  for (let i = 0; i < size && !reader.overrun; i++) {
    if (next !== 0) next = (last + reader.se() + 256) % 256;
    last = next === 0 ? last : next;
  }
}

function skipPictureOrder(reader: BitReader): void {
  const type = reader.ue();
  if (type === 0) reader.ue();
  if (type !== 1) return;
  reader.skip(1);
  reader.se();
  reader.se();
  const cycle = reader.ue();
  for (let i = 0; i < cycle && !reader.overrun; i++) reader.se();
}
