/** What an AV1 sequence header says (AV1 specification section 5.5), and whether a temporal unit is a keyframe. */
import { OBU, type Obu } from './av1-obu.ts';
import { type BitReader, bitReader } from './bit-reader.ts';

export interface Av1SequenceHeader {
  readonly profile: number;
  readonly stillPicture: boolean;
  readonly reducedStillPictureHeader: boolean;
  /** seq_level_idx[0]. */
  readonly level: number;
  /** seq_tier[0]: 0 main, 1 high. */
  readonly tier: number;
  readonly bitDepth: 8 | 10 | 12;
  readonly monochrome: boolean;
  readonly chromaSubsamplingX: boolean;
  readonly chromaSubsamplingY: boolean;
  readonly chromaSamplePosition: number;
  /** Largest picture of the sequence. */
  readonly width: number;
  readonly height: number;
}

type Basics = Pick<Av1SequenceHeader, 'profile' | 'reducedStillPictureHeader' | 'level' | 'tier'>;
type Color = Pick<
  Av1SequenceHeader,
  'bitDepth' | 'monochrome' | 'chromaSubsamplingX' | 'chromaSubsamplingY' | 'chromaSamplePosition'
>;

/** Reads the payload of a sequence header OBU; `undefined` when malformed. */
export function parseAv1SequenceHeader(payload: Uint8Array): Av1SequenceHeader | undefined {
  const reader = bitReader(payload);
  const profile = reader.bits(3);
  const stillPicture = reader.flag();
  const reducedStillPictureHeader = reader.flag();
  let level = 0;
  let tier = 0;
  if (reducedStillPictureHeader) level = reader.bits(5);
  else ({ level, tier } = readOperatingPoints(reader));
  const widthBits = reader.bits(4) + 1;
  const heightBits = reader.bits(4) + 1;
  const width = reader.bits(widthBits) + 1;
  const height = reader.bits(heightBits) + 1;
  const basics: Basics = { profile, reducedStillPictureHeader, level, tier };
  skipTools(reader, reducedStillPictureHeader);
  const color = readColor(reader, profile);
  // film_grain_params_present is the last bit.
  reader.skip(1);
  if (reader.overrun || profile > 2) return undefined;
  return { ...basics, stillPicture, ...color, width, height };
}

function readOperatingPoints(reader: BitReader): { level: number; tier: number } {
  let delayBits = 0;
  let decoderModel = false;
  if (reader.flag()) {
    reader.skip(64);
    if (reader.flag()) reader.ue();
    decoderModel = reader.flag();
    if (decoderModel) {
      delayBits = reader.bits(5) + 1;
      reader.skip(32 + 5 + 5);
    }
  }
  const initialDelay = reader.flag();
  const points = reader.bits(5) + 1;
  let first: { level: number; tier: number } | undefined;
  for (let i = 0; i < points; i++) {
    reader.skip(12);
    const level = reader.bits(5);
    const tier = level > 7 ? reader.bits(1) : 0;
    first ??= { level, tier };
    if (decoderModel && reader.flag()) reader.skip(2 * delayBits + 1);
    if (initialDelay && reader.flag()) reader.skip(4);
  }
  return first ?? { level: 0, tier: 0 };
}

/** The fields between the picture size and the colour configuration. */
function skipTools(reader: BitReader, reduced: boolean): void {
  if (!reduced && reader.flag()) reader.skip(4 + 3);
  // use_128x128_superblock, enable_filter_intra, enable_intra_edge_filter
  reader.skip(3);
  if (!reduced) {
    // enable_interintra_compound, enable_masked_compound, enable_warped_motion, enable_dual_filter
    reader.skip(4);
    const orderHint = reader.flag();
    if (orderHint) reader.skip(2);
    const chooseScreenContent = reader.flag();
    const screenContent = chooseScreenContent || reader.flag();
    if (screenContent) {
      const chooseIntegerMv = reader.flag();
      if (!chooseIntegerMv) reader.skip(1);
    }
    if (orderHint) reader.skip(3);
  }
  // enable_superres, enable_cdef, enable_restoration
  reader.skip(3);
}

/** color_config(), section 5.5.2. */
function readColor(reader: BitReader, profile: number): Color {
  const highBitDepth = reader.flag();
  const bitDepth = profile === 2 && highBitDepth ? (reader.flag() ? 12 : 10) : highBitDepth ? 10 : 8;
  const monochrome = profile === 1 ? false : reader.flag();
  const description = reader.flag() ? [reader.bits(8), reader.bits(8), reader.bits(8)] : [2, 2, 2];
  if (monochrome) {
    reader.skip(1);
    return {
      bitDepth,
      monochrome,
      chromaSubsamplingX: true,
      chromaSubsamplingY: true,
      chromaSamplePosition: 0,
    };
  }
  const srgb = description[0] === 1 && description[1] === 13 && description[2] === 0;
  let x = false;
  let y = false;
  let position = 0;
  if (!srgb) {
    reader.skip(1);
    if (profile === 0) {
      x = true;
      y = true;
    } else if (profile === 2) {
      x = bitDepth === 12 ? reader.flag() : true;
      y = bitDepth === 12 && x && reader.flag();
    }
    if (x && y) position = reader.bits(2);
  }
  reader.skip(1);
  return {
    bitDepth,
    monochrome,
    chromaSubsamplingX: x,
    chromaSubsamplingY: y,
    chromaSamplePosition: position,
  };
}

const KEY_FRAME = 0;

/**
 * The sequence header when the temporal unit begins a coded video sequence: it has one, and its first frame
 * is a shown keyframe (sections 5.9.2 and 7.5). `undefined` for every other.
 */
export function keyframeSequenceHeader(obus: readonly Obu[]): Av1SequenceHeader | undefined {
  const header = obus.find((obu) => obu.type === OBU.sequenceHeader);
  const frame = obus.find((obu) => obu.type === OBU.frame || obu.type === OBU.frameHeader);
  if (header === undefined || frame === undefined) return undefined;
  const sequence = parseAv1SequenceHeader(header.payload);
  if (sequence === undefined || sequence.reducedStillPictureHeader) return sequence;
  const reader = bitReader(frame.payload.subarray(0, 1));
  const showExistingFrame = reader.flag();
  if (showExistingFrame || reader.bits(2) !== KEY_FRAME || reader.overrun) return undefined;
  return reader.flag() ? sequence : undefined;
}
