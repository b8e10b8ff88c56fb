import { MeetError } from '../../protocol/errors.ts';
import { type I420Picture, i420Bytes } from '../canvas/picture.ts';
import type { PixelMemory } from '../canvas/pixels.ts';
import type { Landing } from './socket-pair.ts';

/** Stands before each picture. */
const FRAME = Buffer.from('FRAME\n', 'latin1');
/** The stream's own header is some sixty bytes; what claims to be one and goes on for longer is none. */
const MAX_HEADER_BYTES = 512;
/** A picture is at this place of its piece of memory, its header just before it. */
const PICTURE_OFFSET = 64;
/** Larger pictures are made smaller before they come here. */
export const LARGEST_SIDE = 4_096;

/**
 * Reads YUV4MPEG2, raw pictures with a header that says their size, straight into the memory of the pixels. Each picture is
 * in a piece of memory of its own, which is given back after `onPicture` unless that holds it.
 */
export class PictureReader implements Landing {
  readonly #memory: PixelMemory;
  readonly #onPicture: (picture: I420Picture) => void;
  readonly #onBroken: (error: MeetError) => void;
  readonly #header = Buffer.alloc(MAX_HEADER_BYTES);
  #headerBytes = 0;
  #size: { readonly width: number; readonly height: number; readonly bytes: number } | undefined;
  #block: number | undefined;
  #filled = 0;
  #broken = false;
  #closed = false;

  constructor(
    memory: PixelMemory,
    events: { onPicture: (picture: I420Picture) => void; onBroken: (error: MeetError) => void },
  ) {
    this.#memory = memory;
    this.#onPicture = events.onPicture;
    this.#onBroken = events.onBroken;
  }

  space(): Uint8Array {
    if (this.#broken || this.#closed) return this.#header;
    // In small steps: what comes after the header belongs elsewhere, and has to be copied there.
    if (!this.#size) return this.#header.subarray(this.#headerBytes, this.#headerBytes + 16);
    const { bytes } = this.#size;
    try {
      this.#block ??= this.#memory.take(PICTURE_OFFSET + bytes);
    } catch (error) {
      // This is called from inside of the socket, where an error would end the process.
      this.#break(error instanceof MeetError ? error : new MeetError('internal', String(error)));
      return this.#header;
    }
    const start = this.#block + PICTURE_OFFSET - FRAME.length;
    return this.#memory.view(start + this.#filled, FRAME.length + bytes - this.#filled);
  }

  filled(bytes: number): void {
    if (this.#broken || this.#closed) return;
    if (this.#size) this.#inPicture(bytes, this.#size);
    else this.#inHeader(bytes);
  }

  #inHeader(bytes: number): void {
    this.#headerBytes += bytes;
    const end = this.#header.subarray(0, this.#headerBytes).indexOf(0x0a);
    if (end < 0) {
      if (this.#headerBytes + 16 > MAX_HEADER_BYTES) this.#misread('its header has no end');
      return;
    }
    const text = this.#header.toString('latin1', 0, end);
    const [, width, height] = /^YUV4MPEG2 W(\d+) H(\d+) /.exec(`${text} `)?.map(Number) ?? [];
    if (!width || !height || width > LARGEST_SIDE || height > LARGEST_SIDE) {
      this.#misread(`its header is "${text}"`);
      return;
    }
    this.#size = { width, height, bytes: i420Bytes(width, height) };
    const rest = this.#header.subarray(end + 1, this.#headerBytes);
    if (rest.length === 0) return;
    this.space().set(rest);
    this.filled(rest.length);
  }

  #inPicture(bytes: number, size: { width: number; height: number; bytes: number }): void {
    this.#filled += bytes;
    if (this.#filled < FRAME.length + size.bytes) return;
    const block = this.#block!;
    this.#block = undefined;
    this.#filled = 0;
    const at = block + PICTURE_OFFSET;
    const header = this.#memory.view(at - FRAME.length, FRAME.length);
    if (FRAME.equals(header)) {
      const data = this.#memory.view(at, size.bytes);
      this.#onPicture({ width: size.width, height: size.height, data, block });
    } else {
      this.#misread('a picture does not begin where it should');
    }
    this.#memory.give(block);
  }

  #misread(reason: string): void {
    this.#break(new MeetError('ffmpeg-failed', `ffmpeg wrote something else than pictures: ${reason}.`));
  }

  #break(error: MeetError): void {
    this.#broken = true;
    this.#onBroken(error);
  }

  /** Gives back the memory of the picture that is being read. */
  close(): void {
    this.#closed = true;
    if (this.#block !== undefined) this.#memory.give(this.#block);
    this.#block = undefined;
  }
}
