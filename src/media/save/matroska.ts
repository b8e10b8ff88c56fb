/**
 * A Matroska (RFC 9559) or WebM file of one track that can be played up to the last write at any time and is
 * seekable once it is finished.
 *
 * Written here because mediabunny 1.61 has either one or the other: append-only it leaves out duration and
 * index, and seekable it loses the last cluster when the process is killed (measured: 60 of 180 frames).
 * Clusters of known size, each in one write, need neither a choice nor a write for each packet (10 µs of CPU
 * a packet with mediabunny, 1 µs in batches of ten).
 */
import type { Codec } from '../types.ts';
import { CODEC_IDS, fileExtension } from './codec-private.ts';
import {
  dataSize,
  dateElement,
  element,
  elementId,
  fixedDataSize,
  floatElement,
  stringElement,
  UNKNOWN_SIZE,
  uintElement,
  voidElement,
} from './ebml.ts';

/** IDs of elements, RFC 9559 section 5. */
export const ID = {
  ebml: 0x1a45dfa3,
  segment: 0x18538067,
  seekHead: 0x114d9b74,
  info: 0x1549a966,
  dateUtc: 0x4461,
  duration: 0x4489,
  tracks: 0x1654ae6b,
  trackEntry: 0xae,
  codecId: 0x86,
  video: 0xe0,
  pixelWidth: 0xb0,
  pixelHeight: 0xba,
  cluster: 0x1f43b675,
  clusterTime: 0xe7,
  simpleBlock: 0xa3,
  cues: 0x1c53bb6b,
} as const;

/** Room for a SeekHead that names Info, Tracks and Cues. */
const SEEK_HEAD_BYTES = 96;
/** ID, size and eight bytes of Duration. */
const DURATION_BYTES = 11;
const DATE_BYTES = 11;

/** Decoders need this much Opus before a seek target to be right there, RFC 7845 section 4.6. */
const OPUS_SEEK_PRE_ROLL_NS = 80_000_000;

export interface MatroskaTrack {
  readonly codec: Codec;
  readonly codecPrivate: Buffer;
  /** Video: picture size. */
  readonly width?: number;
  readonly height?: number;
  /** Wall-clock time of the file's time 0, milliseconds since the epoch. */
  readonly startedAtMs: number;
}

export interface MatroskaHeader {
  readonly data: Buffer;
  /** Where in the file the places are that the end of writing fills. */
  readonly segmentSizeAt: number;
  /** Segment positions count from here. */
  readonly segmentDataAt: number;
  readonly seekHeadAt: number;
  readonly infoAt: number;
  readonly dateAt: number;
  readonly durationAt: number;
  readonly tracksAt: number;
}

/** Everything before the first cluster. */
export function matroskaHeader(track: MatroskaTrack): MatroskaHeader {
  const ebml = element(
    ID.ebml,
    uintElement(0x4286, 1),
    uintElement(0x42f7, 1),
    uintElement(0x42f2, 4),
    uintElement(0x42f3, 8),
    stringElement(0x4282, fileExtension(track.codec) === 'webm' ? 'webm' : 'matroska'),
    uintElement(0x4287, 4),
    uintElement(0x4285, 2),
  );
  const segment = Buffer.concat([elementId(ID.segment), UNKNOWN_SIZE]);
  const info = element(
    ID.info,
    // Timestamps in milliseconds.
    uintElement(0x2ad7b1, 1_000_000),
    stringElement(0x4d80, 'meet'),
    stringElement(0x5741, 'meet'),
    dateElement(ID.dateUtc, track.startedAtMs),
    voidElement(DURATION_BYTES),
  );
  const tracks = element(ID.tracks, trackEntry(track));
  const segmentDataAt = ebml.length + segment.length;
  const infoAt = segmentDataAt + SEEK_HEAD_BYTES;
  const tracksAt = infoAt + info.length;
  return {
    data: Buffer.concat([ebml, segment, voidElement(SEEK_HEAD_BYTES), info, tracks]),
    segmentSizeAt: segmentDataAt - UNKNOWN_SIZE.length,
    segmentDataAt,
    seekHeadAt: segmentDataAt,
    infoAt,
    dateAt: tracksAt - DURATION_BYTES - DATE_BYTES,
    durationAt: tracksAt - DURATION_BYTES,
    tracksAt,
  };
}

function trackEntry(track: MatroskaTrack): Buffer {
  const audio = track.codec === 'opus';
  const parts = [
    uintElement(0xd7, 1),
    uintElement(0x73c5, 1),
    uintElement(0x83, audio ? 2 : 1),
    uintElement(0x9c, 0),
    stringElement(ID.codecId, CODEC_IDS[track.codec]),
  ];
  if (track.codecPrivate.length > 0) parts.push(element(0x63a2, track.codecPrivate));
  if (audio) {
    parts.push(uintElement(0x56aa, 0), uintElement(0x56bb, OPUS_SEEK_PRE_ROLL_NS));
    parts.push(element(0xe1, floatElement(0xb5, 48_000), uintElement(0x9f, 2)));
  } else {
    parts.push(
      element(
        ID.video,
        uintElement(ID.pixelWidth, track.width ?? 0),
        uintElement(ID.pixelHeight, track.height ?? 0),
      ),
    );
  }
  return element(ID.trackEntry, ...parts);
}

export interface Block {
  readonly data: Buffer;
  readonly keyframe: boolean;
  /** File time, milliseconds, whole. */
  readonly timeMs: number;
}

/** Times in a cluster are 16-bit and signed. */
export const MAX_CLUSTER_SPAN_MS = 30_000;

/** One cluster of blocks whose times lie within `MAX_CLUSTER_SPAN_MS` of `timeMs`. */
export function cluster(timeMs: number, blocks: readonly Block[]): Buffer {
  const time = uintElement(ID.clusterTime, timeMs);
  const parts: Buffer[] = [time];
  let bytes = time.length;
  for (const block of blocks) {
    const size = dataSize(block.data.length + 4);
    const head = Buffer.allocUnsafe(1 + size.length + 4);
    head[0] = ID.simpleBlock;
    size.copy(head, 1);
    // Track number 1, relative time, flags.
    head[1 + size.length] = 0x81;
    head.writeInt16BE(block.timeMs - timeMs, 2 + size.length);
    head[4 + size.length] = block.keyframe ? 0x80 : 0;
    parts.push(head, block.data);
    bytes += head.length + block.data.length;
  }
  return Buffer.concat([elementId(ID.cluster), dataSize(bytes), ...parts]);
}

export interface Cue {
  readonly timeMs: number;
  /** Position of its cluster in the file. */
  readonly clusterAt: number;
}

/** The index of a finished file. */
export function cues(list: readonly Cue[], segmentDataAt: number): Buffer {
  const points = list.map((cue) =>
    element(
      0xbb,
      uintElement(0xb3, cue.timeMs),
      element(0xb7, uintElement(0xf7, 1), uintElement(0xf1, cue.clusterAt - segmentDataAt)),
    ),
  );
  return element(ID.cues, ...points);
}

export interface Patch {
  readonly at: number;
  readonly data: Buffer;
}

/** What is written over the places that the header left open, when the file is finished. */
export function finishingPatches(
  header: MatroskaHeader,
  end: {
    /** File time of the end of the last frame, milliseconds. */
    readonly durationMs: number;
    readonly startedAtMs: number;
    /** Position of the Cues; `undefined` when there are none. */
    readonly cuesAt: number | undefined;
    readonly fileBytes: number;
  },
): Patch[] {
  const seeks = [seek(ID.info, header.infoAt), seek(ID.tracks, header.tracksAt)];
  if (end.cuesAt !== undefined) seeks.push(seek(ID.cues, end.cuesAt));
  const seekHead = element(ID.seekHead, ...seeks);
  return [
    { at: header.dateAt, data: dateElement(ID.dateUtc, end.startedAtMs) },
    { at: header.durationAt, data: floatElement(ID.duration, end.durationMs) },
    {
      at: header.seekHeadAt,
      data: Buffer.concat([seekHead, voidElement(SEEK_HEAD_BYTES - seekHead.length)]),
    },
    { at: header.segmentSizeAt, data: fixedDataSize(end.fileBytes - header.segmentDataAt) },
  ];

  function seek(id: number, at: number): Buffer {
    return element(0x4dbb, element(0x53ab, elementId(id)), uintElement(0x53ac, at - header.segmentDataAt));
  }
}
