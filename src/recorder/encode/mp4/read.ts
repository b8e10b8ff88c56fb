/** Reads the fragmented MP4 that ffmpeg writes, ISO/IEC 14496-12 section 8.8. */
import type { StreamHeader, StreamPacket, StreamReader } from '../types.ts';
import { type Box, box, boxAt, boxes, boxesAt, boxLength } from './boxes.ts';

interface Track {
  readonly kind: 'video' | 'audio';
  /** Ticks of one picture; 0 until two are known. */
  readonly pictureTicks: number;
  /** Composition offset of the first picture: what all have on top. */
  baseOffset: number | undefined;
  readonly defaults: SampleDefaults;
}

interface SampleDefaults {
  readonly duration: number;
  readonly size: number;
  readonly flags: number;
}

/** `sample_is_non_sync_sample`, section 8.8.3.1. */
const NON_SYNC = 0x10000;

export class Mp4StreamReader implements StreamReader {
  readonly #fps: number;
  readonly #onHeader: (header: StreamHeader) => void;
  readonly #onPacket: (packet: StreamPacket) => void;
  readonly #tracks = new Map<number, Track>();
  #chunks: Buffer[] = [];
  #waiting = 0;
  #wanted = 8;
  #fileType: Buffer | undefined;
  #fragment: Buffer | undefined;

  /** `fps` is 0 without pictures. */
  constructor(options: {
    fps: number;
    onHeader: (header: StreamHeader) => void;
    onPacket: (packet: StreamPacket) => void;
  }) {
    this.#fps = options.fps;
    this.#onHeader = options.onHeader;
    this.#onPacket = options.onPacket;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#waiting += chunk.length;
    if (this.#waiting < this.#wanted) return;
    let bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks);
    for (;;) {
      const length = boxLength(bytes);
      if (length === undefined || length > bytes.length) {
        this.#wanted = length ?? bytes.length + 8;
        break;
      }
      const [whole] = boxes(bytes.subarray(0, length));
      this.#box(whole!);
      bytes = bytes.subarray(length);
    }
    this.#chunks = [bytes];
    this.#waiting = bytes.length;
  }

  #box({ type, content, bytes }: Box): void {
    if (type === 'ftyp') this.#fileType = Buffer.from(bytes);
    else if (type === 'moov') this.#movie(content);
    else if (type === 'moof') this.#fragment = bytes;
    else if (type === 'mdat' && this.#fragment) {
      const fragment = Buffer.concat([this.#fragment, bytes]);
      this.#fragment = undefined;
      this.#samples(fragment);
    }
  }

  #movie(movie: Buffer): void {
    const header: { video?: Buffer; audio?: Buffer } = {};
    for (const trak of boxesAt(movie, ['trak'])) {
      const id = boxAt(trak.content, ['tkhd']).content;
      const trackId = id.readUInt32BE(id[0] === 1 ? 20 : 12);
      const mdhd = boxAt(trak.content, ['mdia', 'mdhd']).content;
      const timescale = mdhd.readUInt32BE(mdhd[0] === 1 ? 20 : 12);
      const handler = boxAt(trak.content, ['mdia', 'hdlr']).content.toString('latin1', 8, 12);
      const kind = handler === 'vide' ? 'video' : 'audio';
      header[kind] = sampleEntry(trak.content);
      const trex = boxesAt(movie, ['mvex', 'trex']).find(
        ({ content }) => content.readUInt32BE(4) === trackId,
      );
      this.#tracks.set(trackId, {
        kind,
        pictureTicks: kind === 'video' ? timescale / this.#fps : 0,
        baseOffset: undefined,
        defaults: {
          duration: trex?.content.readUInt32BE(12) ?? 0,
          size: trex?.content.readUInt32BE(16) ?? 0,
          flags: trex?.content.readUInt32BE(20) ?? 0,
        },
      });
    }
    if (header.audio === undefined) throw new Error('ffmpeg wrote no sound');
    this.#onHeader({
      ...header,
      audio: header.audio,
      bytes: Buffer.concat([this.#fileType ?? Buffer.alloc(0), withoutEdits(movie)]),
    });
  }

  #samples(fragment: Buffer): void {
    const [moof] = boxes(fragment);
    for (const traf of boxesAt(moof!.content, ['traf'])) {
      const tfhd = boxAt(traf.content, ['tfhd']).content;
      const track = this.#tracks.get(tfhd.readUInt32BE(4));
      if (!track) continue;
      const defaults = fragmentDefaults(tfhd, track.defaults);
      for (const trun of boxesAt(traf.content, ['trun'])) this.#run(fragment, trun.content, track, defaults);
    }
  }

  #run(fragment: Buffer, trun: Buffer, track: Track, defaults: SampleDefaults): void {
    const flags = trun.readUIntBE(1, 3);
    const count = trun.readUInt32BE(4);
    let at = 8;
    let dataAt = 0;
    if (flags & 1) {
      dataAt = trun.readInt32BE(at);
      at += 4;
    }
    let firstFlags: number | undefined;
    if (flags & 4) {
      firstFlags = trun.readUInt32BE(at);
      at += 4;
    }
    for (let i = 0; i < count; i += 1) {
      let { size, flags: sampleFlags } = defaults;
      let offset = 0;
      if (flags & 0x100) at += 4;
      if (flags & 0x200) {
        size = trun.readUInt32BE(at);
        at += 4;
      }
      if (flags & 0x400) {
        sampleFlags = trun.readUInt32BE(at);
        at += 4;
      } else if (i === 0 && firstFlags !== undefined) sampleFlags = firstFlags;
      if (flags & 0x800) {
        offset = trun.readInt32BE(at);
        at += 4;
      }
      track.baseOffset ??= offset;
      this.#onPacket({
        track: track.kind,
        data: fragment.subarray(dataAt, dataAt + size),
        keyframe: (sampleFlags & NON_SYNC) === 0,
        showOffset:
          track.pictureTicks === 0 ? 0 : Math.round((offset - track.baseOffset) / track.pictureTicks),
      });
      dataAt += size;
    }
  }
}

/** What of a `tfhd` (section 8.8.7) takes the place of the track's defaults. */
function fragmentDefaults(tfhd: Buffer, defaults: SampleDefaults): SampleDefaults {
  const flags = tfhd.readUIntBE(1, 3);
  let at = 8;
  if (flags & 0x1) at += 8;
  if (flags & 0x2) at += 4;
  let { duration, size, flags: sampleFlags } = defaults;
  if (flags & 0x8) {
    duration = tfhd.readUInt32BE(at);
    at += 4;
  }
  if (flags & 0x10) {
    size = tfhd.readUInt32BE(at);
    at += 4;
  }
  if (flags & 0x20) sampleFlags = tfhd.readUInt32BE(at);
  return { duration, size, flags: sampleFlags };
}

/** Bytes of a visual (section 12.1.3) and of an audio sample entry (section 12.2.3) before the boxes in them. */
const ENTRY_BYTES: Readonly<Record<string, number>> = { avc1: 78, mp4a: 28 };

/** The decoder's parameters in the first sample entry. */
function sampleEntry(trak: Buffer): Buffer {
  const stsd = boxAt(trak, ['mdia', 'minf', 'stbl', 'stsd']).content;
  const [entry] = boxes(stsd.subarray(8));
  if (!entry) throw new Error('ffmpeg wrote a track without parameters');
  const inner = boxes(entry.content.subarray(ENTRY_BYTES[entry.type] ?? 0));
  const parameters = inner.find(({ type }) => type === 'avcC' || type === 'esds');
  if (!parameters) throw new Error(`ffmpeg wrote no parameters for ${entry.type}`);
  return Buffer.from(parameters.content);
}

/** The movie box without edit lists: ours begins at 0 in all tracks. */
function withoutEdits(movie: Buffer): Buffer {
  const parts = boxes(movie).map((part) =>
    part.type === 'trak'
      ? box(
          'trak',
          ...boxes(part.content)
            .filter(({ type }) => type !== 'edts')
            .map(({ bytes }) => bytes),
        )
      : part.bytes,
  );
  return box('moov', ...parts);
}
