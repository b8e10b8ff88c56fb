import { SequenceQueue } from './sequence-queue.ts';

/** A sent packet as it is needed to send it again. */
export interface SentPacket {
  /** Extended sequence number: rollover counter · 2^16 + sequence number. */
  readonly index: number;
  readonly timestamp: number;
  readonly marker: boolean;
  readonly payload: Buffer;
  readonly audioLevel: number | undefined;
  /** Of the first packet of a frame. */
  readonly captureTimeMs: number | undefined;
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

/** The packets of one stream that may still be asked for. */
export class RetransmissionBuffer {
  readonly #maxAgeMs: number;
  readonly #maxBytes: number;
  readonly #packets: SequenceQueue<SentPacket>;
  #bytes = 0;

  /** `firstIndex` is the index of the first packet to be added; the following have no gaps. */
  constructor(
    firstIndex: number,
    { maxAgeMs = 2000, maxBytes = 4 * 1024 * 1024 }: RetransmissionBufferOptions = {},
  ) {
    this.#maxAgeMs = maxAgeMs;
    this.#maxBytes = maxBytes;
    this.#packets = new SequenceQueue(firstIndex);
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(packet: SentPacket): void {
    this.#packets.push(packet);
    this.#bytes += size(packet);
    for (let oldest = this.#packets.oldest; oldest && oldest !== packet; oldest = this.#packets.oldest) {
      if (this.#bytes <= this.#maxBytes && packet.sentMs - oldest.sentMs <= this.#maxAgeMs) break;
      this.#bytes -= size(oldest);
      this.#packets.shift();
    }
  }

  /** By the 16-bit number that a NACK names; `undefined` for what is gone or was not sent yet. */
  get(sequenceNumber: number): SentPacket | undefined {
    const { first } = this.#packets;
    return this.#packets.get(first + ((sequenceNumber - first) & 0xffff));
  }

  /** The newest; `undefined` before the first. */
  get latest(): SentPacket | undefined {
    return this.#packets.newest;
  }

  clear(): void {
    this.#packets.clear();
    this.#bytes = 0;
  }
}

function size(packet: SentPacket): number {
  return packet.payload.length + (packet.wire?.length ?? 0);
}
