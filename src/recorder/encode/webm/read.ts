/** Reads the live WebM that ffmpeg writes, RFC 9559 and RFC 8794. */
import type { StreamHeader, StreamPacket, StreamReader } from '../types.ts';

/** Elements that are looked at, RFC 9559. */
export const WEBM_ID = {
  ebml: 0x1a45dfa3,
  segment: 0x18538067,
  cluster: 0x1f43b675,
  tracks: 0x1654ae6b,
  trackEntry: 0xae,
  trackNumber: 0xd7,
  trackType: 0x83,
  codecPrivate: 0x63a2,
  simpleBlock: 0xa3,
  blockGroup: 0xa0,
  block: 0xa1,
  reference: 0xfb,
} as const;

/** Elements that are gone into rather than read whole; the segment and clusters of a live stream have no end. */
const OPENED: ReadonlySet<number> = new Set([WEBM_ID.segment, WEBM_ID.cluster]);
const MAX_ELEMENT_BYTES = 256 * 1024 * 1024;
const UNKNOWN = -1;

interface Element {
  readonly id: number;
  /** Of the content; `UNKNOWN` where it ends with what follows. */
  readonly size: number;
  readonly headerBytes: number;
}

export class WebmStreamReader implements StreamReader {
  readonly #onHeader: (header: StreamHeader) => void;
  readonly #onPacket: (packet: StreamPacket) => void;
  readonly #kinds = new Map<number, 'video' | 'audio'>();
  #waiting: Buffer = Buffer.alloc(0);

  constructor(options: {
    onHeader: (header: StreamHeader) => void;
    onPacket: (packet: StreamPacket) => void;
  }) {
    this.#onHeader = options.onHeader;
    this.#onPacket = options.onPacket;
  }

  push(chunk: Buffer): void {
    let bytes = this.#waiting.length === 0 ? chunk : Buffer.concat([this.#waiting, chunk]);
    for (;;) {
      const element = elementAt(bytes, 0);
      if (element === undefined) break;
      const { id, size, headerBytes } = element;
      if (OPENED.has(id)) {
        bytes = bytes.subarray(headerBytes);
        continue;
      }
      if (size === UNKNOWN || size > MAX_ELEMENT_BYTES) throw new Error('An element of WebM has no end');
      if (bytes.length < headerBytes + size) break;
      this.#element(id, bytes.subarray(headerBytes, headerBytes + size));
      bytes = bytes.subarray(headerBytes + size);
    }
    this.#waiting = bytes;
  }

  #element(id: number, content: Buffer): void {
    if (id === WEBM_ID.tracks) this.#tracks(content);
    else if (id === WEBM_ID.simpleBlock) this.#block(content, (flags) => (flags & 0x80) !== 0);
    else if (id === WEBM_ID.blockGroup) {
      const group = children(content);
      const block = group.find((child) => child.id === WEBM_ID.block);
      const refers = group.some((child) => child.id === WEBM_ID.reference);
      if (block) this.#block(block.content, () => !refers);
    }
  }

  #tracks(content: Buffer): void {
    const header: { video?: Buffer; audio?: Buffer } = {};
    for (const track of children(content).filter(({ id }) => id === WEBM_ID.trackEntry)) {
      const fields = children(track.content);
      const field = (id: number) => fields.find((child) => child.id === id)?.content;
      const kind = field(WEBM_ID.trackType)?.at(-1) === 2 ? 'audio' : 'video';
      this.#kinds.set(field(WEBM_ID.trackNumber)?.at(-1) ?? 0, kind);
      header[kind] = Buffer.from(field(WEBM_ID.codecPrivate) ?? Buffer.alloc(0));
    }
    if (header.audio === undefined) throw new Error('ffmpeg wrote no sound');
    this.#onHeader({ ...header, audio: header.audio, bytes: Buffer.alloc(0) });
  }

  #block(content: Buffer, isKeyframe: (flags: number) => boolean): void {
    // Track numbers of ours are below 127: one byte with its marker. Two bytes of time and the flags follow.
    const track = this.#kinds.get(content[0]! & 0x7f);
    if (track === undefined) return;
    this.#onPacket({
      track,
      data: Buffer.from(content.subarray(4)),
      keyframe: isKeyframe(content[3]!),
      showOffset: 0,
    });
  }
}

function children(bytes: Buffer): { readonly id: number; readonly content: Buffer }[] {
  const found: { id: number; content: Buffer }[] = [];
  for (let at = 0; ; ) {
    const element = elementAt(bytes, at);
    if (element === undefined) return found;
    const from = at + element.headerBytes;
    const to = element.size === UNKNOWN ? bytes.length : from + element.size;
    if (to > bytes.length) return found;
    found.push({ id: element.id, content: bytes.subarray(from, to) });
    at = to;
  }
}

/** ID and size of an element, `undefined` until both are whole. Throws for what is none. */
export function elementAt(bytes: Buffer, at: number): Element | undefined {
  const idBytes = lengthOf(bytes[at]);
  if (idBytes === undefined || idBytes > 4) return bytes.length > at ? broken() : undefined;
  const sizeBytes = lengthOf(bytes[at + idBytes]);
  if (bytes.length <= at + idBytes) return undefined;
  if (sizeBytes === undefined) return broken();
  if (bytes.length < at + idBytes + sizeBytes) return undefined;
  let size = bytes[at + idBytes]! & ((1 << (8 - sizeBytes)) - 1);
  let ones = size === (1 << (8 - sizeBytes)) - 1;
  for (let i = 1; i < sizeBytes; i += 1) {
    const byte = bytes[at + idBytes + i]!;
    size = size * 256 + byte;
    ones &&= byte === 255;
  }
  return {
    id: bytes.readUIntBE(at, idBytes),
    size: ones ? UNKNOWN : size,
    headerBytes: idBytes + sizeBytes,
  };
}

/** Value of an unsigned integer element. */
export const unsignedValue = (content: Buffer): number =>
  content.reduce((value, byte) => value * 256 + byte, 0);

/** Bytes of a number that begins with this one, RFC 8794 section 4. */
function lengthOf(first: number | undefined): number | undefined {
  return first === undefined || first === 0 ? undefined : Math.clz32(first) - 23;
}

function broken(): never {
  throw new Error('ffmpeg wrote what is no WebM');
}
