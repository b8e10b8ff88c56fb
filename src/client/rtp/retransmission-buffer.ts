/** A sent packet as it is needed to send it again. */
export interface SentPacket {
  /** Extended sequence number: rollover counter · 2^16 + sequence number. */
  readonly index: number;
  readonly timestamp: number;
  readonly marker: boolean;
  readonly payload: Buffer;
  readonly audioLevel: number | undefined;
  /** As it was on the wire; kept where there is no RTX stream, see `RtpSender`. */
  readonly wire: Buffer | undefined;
  readonly sentMs: number;
  resentMs: number;
}

export interface RetransmissionBufferOptions {
  /** Default 2000 ms: a receiver gives a packet up long before. */
  readonly maxAgeMs?: number;
  /** Default 4 MiB: two seconds at 16 Mbit/s. */
  readonly maxBytes?: number;
}

/** The packets of one stream that may still be asked for. Their indices have no gaps. */
export class RetransmissionBuffer {
  readonly #maxAgeMs: number;
  readonly #maxBytes: number;
  /** Ordered by index; those before `#head` are gone. */
  #packets: (SentPacket | undefined)[] = [];
  #head = 0;
  #bytes = 0;

  constructor({ maxAgeMs = 2000, maxBytes = 4 * 1024 * 1024 }: RetransmissionBufferOptions = {}) {
    this.#maxAgeMs = maxAgeMs;
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(packet: SentPacket): void {
    this.#packets.push(packet);
    this.#bytes += size(packet);
    for (;;) {
      const oldest = this.#packets[this.#head];
      if (!oldest || oldest === packet) break;
      if (this.#bytes <= this.#maxBytes && packet.sentMs - oldest.sentMs <= this.#maxAgeMs) break;
      this.#bytes -= size(oldest);
      this.#packets[this.#head] = undefined;
      this.#head += 1;
    }
    // Moving the rest to the front now and then costs less than a queue of linked nodes.
    if (this.#head >= 1024 && this.#head * 2 >= this.#packets.length) {
      this.#packets = this.#packets.slice(this.#head);
      this.#head = 0;
    }
  }

  /** By the 16-bit number that a NACK names; `undefined` for what is gone or was not sent yet. */
  get(sequenceNumber: number): SentPacket | undefined {
    const oldest = this.#packets[this.#head];
    if (!oldest) return undefined;
    return this.#packets[this.#head + ((sequenceNumber - oldest.index) & 0xffff)];
  }

  clear(): void {
    this.#packets = [];
    this.#head = 0;
    this.#bytes = 0;
  }
}

function size(packet: SentPacket): number {
  return packet.payload.length + (packet.wire?.length ?? 0);
}
