/**
 * Reads the track files that are written here, also one that is still being written or was cut by a crash: what is
 * whole is given, and what is not ends it.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { MeetError } from '../../protocol/errors.ts';
import { joinAnnexB } from '../rtp/h264-nal.ts';
import type { Codec } from '../types.ts';
import { CODEC_IDS } from './codec-private.ts';
import { readSize, readUint, subElements, UNKNOWN } from './ebml-reader.ts';
import { ID } from './matroska.ts';

/** Read at once; a second of 720p. */
const CHUNK_BYTES = 256 * 1024;
/** IDs have at most four bytes, sizes eight. */
const MAX_HEAD_BYTES = 12;
/** No cluster of ours is near that; a size beyond it is damage. */
const MAX_ELEMENT_BYTES = 256 * 1024 * 1024;

export interface TrackFileHeader {
  readonly codec: Codec;
  readonly width?: number;
  readonly height?: number;
}

export interface ReadFrame {
  /** As a decoder takes it: H.264 with start codes. */
  readonly data: Buffer;
  readonly keyframe: boolean;
  /** Time in the file, milliseconds. */
  readonly timeMs: number;
}

/** A file of one track, read from its beginning to its end. */
export class TrackFileReader {
  readonly header: TrackFileHeader;
  readonly #file: FileHandle;
  readonly #position: number;

  private constructor(file: FileHandle, header: TrackFileHeader, position: number) {
    this.#file = file;
    this.header = header;
    this.#position = position;
  }

  /**
   * Opens it and reads its header.
   *
   * @throws MeetError `media-not-found`, `media-unusable` for what is none of our files or has no header yet
   */
  static async open(path: string): Promise<TrackFileReader> {
    let file: FileHandle;
    try {
      file = await open(path, 'r');
    } catch (cause) {
      throw new MeetError('media-not-found', `The track ${path} cannot be read.`, { cause });
    }
    try {
      for await (const { id, data, at } of elements(file, 0)) {
        if (id !== ID.tracks) continue;
        const header = parseTracks(data);
        if (header !== undefined) return new TrackFileReader(file, header, at);
        break;
      }
      throw new MeetError('media-unusable', `${path} holds no track.`);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Its frames in the order in which they were written; what has not been read yet is read as it is asked for. */
  async *frames(): AsyncGenerator<ReadFrame> {
    const { codec } = this.header;
    for await (const { id, data } of elements(this.#file, this.#position)) {
      if (id !== ID.cluster) continue;
      for (const block of blocksOf(data)) {
        yield codec === 'h264' ? { ...block, data: joinAnnexB(splitLengthPrefixed(block.data)) } : block;
      }
    }
  }

  /** May be called twice. */
  async close(): Promise<void> {
    await this.#file.close();
  }
}

interface FoundElement {
  readonly id: number;
  /** As much of its content as there is. */
  readonly data: Buffer;
  /** Where the next one begins. */
  readonly at: number;
}

/** The elements below the segment, from a position in the file on. */
async function* elements(file: FileHandle, from: number): AsyncGenerator<FoundElement> {
  let held: Buffer = Buffer.alloc(0);
  let at = from;
  /** Makes sure that so many bytes are held, where the file has them. */
  const fill = async (bytes: number): Promise<boolean> => {
    while (held.length < bytes) {
      const wanted = Math.max(CHUNK_BYTES, bytes - held.length);
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(wanted), 0, wanted, at + held.length);
      if (bytesRead === 0) return false;
      held = Buffer.concat([held, buffer.subarray(0, bytesRead)]);
    }
    return true;
  };
  const skip = (bytes: number) => {
    held = held.subarray(bytes);
    at += bytes;
  };
  for (;;) {
    await fill(MAX_HEAD_BYTES);
    const head = readHead(held);
    if (head === undefined) return;
    if (head.id === ID.segment) {
      skip(head.bytes);
      continue;
    }
    if (head.size === UNKNOWN || head.size > MAX_ELEMENT_BYTES) return;
    const whole = await fill(head.bytes + head.size);
    const data = held.subarray(head.bytes, head.bytes + head.size);
    skip(Math.min(held.length, head.bytes + head.size));
    yield { id: head.id, data, at };
    if (!whole) return;
  }
}

function readHead(data: Buffer): { id: number; size: number; bytes: number } | undefined {
  const first = data[0];
  if (first === undefined || first < 0x10) return undefined;
  const idBytes = Math.clz32(first) - 23;
  if (data.length < idBytes) return undefined;
  const size = readSize(data, idBytes);
  if (size === undefined) return undefined;
  return { id: data.readUIntBE(0, idBytes), size: size.value, bytes: idBytes + size.bytes };
}

function parseTracks(tracks: Buffer): TrackFileHeader | undefined {
  const entry = subElements(tracks).find(({ id }) => id === ID.trackEntry);
  if (entry === undefined) return undefined;
  const fields = new Map(subElements(entry.data).map(({ id, data }) => [id, data]));
  const codecId = fields.get(ID.codecId)?.toString('latin1');
  const codec = (Object.keys(CODEC_IDS) as Codec[]).find((name) => CODEC_IDS[name] === codecId);
  if (codec === undefined) return undefined;
  const video = new Map(
    subElements(fields.get(ID.video) ?? Buffer.alloc(0)).map(({ id, data }) => [id, data]),
  );
  const width = video.get(ID.pixelWidth);
  const height = video.get(ID.pixelHeight);
  if (width === undefined || height === undefined) return { codec };
  return { codec, width: readUint(width), height: readUint(height) };
}

/** The blocks of a cluster that are whole. */
function blocksOf(cluster: Buffer): ReadFrame[] {
  let clusterTime = 0;
  return subElements(cluster).flatMap(({ id, data }) => {
    if (id === ID.clusterTime) clusterTime = readUint(data);
    if (id !== ID.simpleBlock || data.length < 4) return [];
    const timeMs = clusterTime + data.readInt16BE(1);
    return [{ data: data.subarray(4), keyframe: (data[3]! & 0x80) !== 0, timeMs }];
  });
}

/** NAL units with lengths of four bytes before them. */
function splitLengthPrefixed(data: Buffer): Buffer[] {
  const nals: Buffer[] = [];
  for (let at = 0; at + 4 <= data.length; ) {
    const end = at + 4 + data.readUInt32BE(at);
    nals.push(data.subarray(at + 4, end));
    at = end;
  }
  return nals;
}
