import { SequenceQueue } from './sequence-queue.ts';

/** A sent packet as it is needed to send it again. */
export interface SentPacket {
  /** Extended sequence number: rollover counter · 2^16 + sequence number. */
  readonly index: number;
  readonly timestamp: number;
  readonly marker: boolean;
  readonly audioLevel: number | undefined;
  /** Of the first packet of a frame. */
  readonly captureTimeMs: number | undefined;
  /** Transport-wide number, unwrapped, where it has one. */
  readonly transportSequence?: number | undefined;
  readonly sentMs: number;
  resentMs: number;
}

/** One that is kept, with where its content is. */
export interface KeptPacket extends SentPacket {
  /** Bytes of its content. */
  readonly length: number;
}

interface Entry extends KeptPacket {
  offset: number;
}

export interface RetransmissionBufferOptions {
  /** Default 2000 ms: a receiver gives a packet up long before. */
  readonly maxAgeMs?: number;
  /** Default 4 MiB: two seconds at 16 Mbit/s. */
  readonly maxBytes?: number;
}

/** The memory begins with this and doubles up to the most: a voice needs some 10 KiB, the best layer 400. */
const FIRST_BYTES = 8 * 1024;

/**
 * The packets of one stream that may still be asked for. What they hold is copied into one piece of memory, used round
 * and round: as buffers of their own they lived just long enough to be freed by full garbage collections only, of which
 * there were three a second at 6,000 packets a second, for half of all CPU time.
 */
export class RetransmissionBuffer {
  readonly #maxAgeMs: number;
  readonly #maxBytes: number;
  readonly #packets: SequenceQueue<Entry>;
  #memory: Buffer | undefined;
  /** Where the next content goes, if there is room. */
  #head = 0;

  /** `firstIndex` is the index of the first packet to be added; the following have no gaps. */
  constructor(
    firstIndex: number,
    { maxAgeMs = 2000, maxBytes = 4 * 1024 * 1024 }: RetransmissionBufferOptions = {},
  ) {
    this.#maxAgeMs = maxAgeMs;
    this.#maxBytes = maxBytes;
    this.#packets = new SequenceQueue(firstIndex);
  }

  /** Copies `content`: the payload, or where there is no RTX stream the packet as it was on the wire. */
  add(packet: SentPacket, content: Buffer): void {
    for (let oldest = this.#packets.oldest; oldest; oldest = this.#packets.oldest) {
      if (packet.sentMs - oldest.sentMs <= this.#maxAgeMs) break;
      this.#packets.shift();
    }
    // One that is empty takes a byte: head and tail at the same place mean that the memory is full.
    const room = Math.max(1, content.length);
    const offset = this.#makeRoom(room);
    this.#memory!.set(content, offset);
    this.#head = offset + room;
    this.#packets.push({ ...packet, offset, length: content.length });
  }

  /** By the 16-bit number that a NACK names; `undefined` for what is gone or was not sent yet. */
  get(sequenceNumber: number): KeptPacket | undefined {
    const { first } = this.#packets;
    return this.#packets.get(first + ((sequenceNumber - first) & 0xffff));
  }

  /** The newest; `undefined` before the first. */
  get latest(): KeptPacket | undefined {
    return this.#packets.newest;
  }

  /** What a packet holds, until the next one is added; `undefined` when it is gone by now. */
  contentOf({ index }: KeptPacket): Buffer | undefined {
    const entry = this.#packets.get(index);
    return entry && this.#memory?.subarray(entry.offset, entry.offset + entry.length);
  }

  clear(): void {
    this.#packets.clear();
    this.#memory = undefined;
    this.#head = 0;
  }

  /** Finds room for so many bytes in one piece, at the cost of the oldest packets where the memory may not grow. */
  #makeRoom(bytes: number): number {
    for (;;) {
      const offset = this.#fit(bytes);
      if (offset !== undefined) return offset;
      const capacity = this.#memory?.length ?? 0;
      // One packet alone is kept whatever its size.
      if (capacity < this.#maxBytes || this.#packets.size === 0) this.#grow(bytes);
      else this.#packets.shift();
    }
  }

  #fit(bytes: number): number | undefined {
    const capacity = this.#memory?.length ?? 0;
    const tail = this.#packets.oldest?.offset;
    if (tail === undefined) return bytes <= capacity ? 0 : undefined;
    // What is kept lies between tail and head, or around the end of the memory.
    if (this.#head <= tail) return this.#head + bytes <= tail ? this.#head : undefined;
    if (this.#head + bytes <= capacity) return this.#head;
    return bytes <= tail ? 0 : undefined;
  }

  #grow(bytes: number): void {
    const old = this.#memory;
    const doubled = Math.min(this.#maxBytes, Math.max(FIRST_BYTES, 2 * (old?.length ?? 0)));
    const memory = Buffer.allocUnsafeSlow(Math.max(doubled, bytes));
    let head = 0;
    const { first, next } = this.#packets;
    for (let index = first; index < next; index += 1) {
      const entry = this.#packets.get(index)!;
      old?.copy(memory, head, entry.offset, entry.offset + entry.length);
      entry.offset = head;
      head += Math.max(1, entry.length);
    }
    this.#memory = memory;
    this.#head = head;
  }
}
