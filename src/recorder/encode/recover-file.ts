/** What a recorder that died has left in its live file. */
import type { FileHandle } from 'node:fs/promises';
import { boxAt, boxes, boxLength } from './mp4/boxes.ts';
import { Mp4StreamReader } from './mp4/read.ts';
import type { StreamHeader } from './types.ts';
import { elementAt, unsignedValue, WEBM_ID, WebmStreamReader } from './webm/read.ts';

export interface RecoveredFile {
  /** Up to the end of the last whole fragment. */
  readonly bytes: number;
  /** Of the next fragment. */
  readonly sequence: number;
  /** Time in the file at which the last fragment begins, milliseconds. */
  readonly lastFragmentMs: number;
  readonly header: StreamHeader;
}

/** Enough for any header, and for what stands before a movie fragment's samples. */
const HEAD_BYTES = 64 * 1024;

/** Walks over the whole boxes or clusters of a file; `undefined` where there is no fragment. */
export async function recoverFile(file: FileHandle): Promise<RecoveredFile | undefined> {
  const { size } = await file.stat();
  const start = await read(file, 0, 4);
  if (start.length < 4) return undefined;
  return start.readUInt32BE(0) === WEBM_ID.ebml ? recoverWebm(file, size) : recoverMp4(file, size);
}

async function recoverMp4(file: FileHandle, size: number): Promise<RecoveredFile | undefined> {
  let header: StreamHeader | undefined;
  let last: { readonly sequence: number; readonly ms: number; readonly end: number } | undefined;
  let fragment: { readonly sequence: number; readonly ms: number } | undefined;
  // The timescale of the first track, which is the one that a fragment begins with.
  let timescale = 0;
  for (let at = 0; at < size; ) {
    const head = await read(file, at, HEAD_BYTES);
    const length = lengthOrNothing(head);
    if (length === undefined || at + length > size) break;
    const type = head.toString('latin1', 4, 8);
    if (type === 'moov') {
      const init = await read(file, 0, at + length);
      header = headerOf(init);
      const trak = boxAt(init, ['moov', 'trak']).content;
      const mdhd = boxAt(trak, ['mdia', 'mdhd']).content;
      timescale = mdhd.readUInt32BE(mdhd[0] === 1 ? 20 : 12);
    } else if (type === 'moof') {
      const moof = boxes(length > head.length ? await read(file, at, length) : head)[0]!.content;
      const sequence = boxAt(moof, ['mfhd']).content.readUInt32BE(4);
      const tfdt = boxAt(moof, ['traf', 'tfdt']).content;
      const track = boxAt(moof, ['traf', 'tfhd']).content.readUInt32BE(4);
      const scale = track === 1 ? timescale : SOUND_TIMESCALE;
      fragment = { sequence, ms: (Number(tfdt.readBigUInt64BE(4)) * 1000) / scale };
    } else if (type === 'mdat' && fragment) {
      last = { ...fragment, end: at + length };
      fragment = undefined;
    }
    at += length;
  }
  if (header === undefined || last === undefined) return undefined;
  return { bytes: last.end, sequence: last.sequence + 1, lastFragmentMs: last.ms, header };
}

/** A fragment without pictures begins with its sound. */
const SOUND_TIMESCALE = 48_000;

function lengthOrNothing(head: Buffer): number | undefined {
  try {
    return boxLength(head);
  } catch {
    return undefined;
  }
}

function headerOf(init: Buffer): StreamHeader | undefined {
  let header: StreamHeader | undefined;
  new Mp4StreamReader({
    fps: 1,
    onHeader: (found) => {
      header = found;
    },
    onPacket: () => {},
  }).push(init);
  return header;
}

async function recoverWebm(file: FileHandle, size: number): Promise<RecoveredFile | undefined> {
  let header: StreamHeader | undefined;
  let last: { readonly ms: number; readonly end: number } | undefined;
  let count = 0;
  for (let at = 0; at < size; ) {
    const head = await read(file, at, HEAD_BYTES);
    const element = elementAt(head, 0);
    if (element === undefined) break;
    const end = at + element.headerBytes + Math.max(0, element.size);
    if (element.id !== WEBM_ID.segment && end > size) break;
    if (element.id === WEBM_ID.tracks) {
      new WebmStreamReader({
        onHeader: (found) => {
          header = found;
        },
        onPacket: () => {},
      }).push(head.subarray(0, end - at));
    } else if (element.id === WEBM_ID.cluster) {
      const time = elementAt(head, element.headerBytes);
      const from = element.headerBytes + (time?.headerBytes ?? 0);
      last = { ms: unsignedValue(head.subarray(from, from + (time?.size ?? 0))), end };
      count += 1;
    }
    at = element.id === WEBM_ID.segment ? at + element.headerBytes : end;
  }
  if (header === undefined || last === undefined) return undefined;
  return { bytes: last.end, sequence: count + 1, lastFragmentMs: last.ms, header };
}

/** At most so many bytes from there. */
async function read(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, length - done, at + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}
