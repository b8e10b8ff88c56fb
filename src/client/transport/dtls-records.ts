/** What werift sends during a handshake, turned into what RFC 6347 asks for. */

const HEADER_BYTES = 13;
const EPOCH_OFFSET = 3;
const SEQUENCE_OFFSET = 5;
const LENGTH_OFFSET = 11;
/** Fits into every path that carries our RTP packets. */
const MAX_DATAGRAM_BYTES = 1_200;

export interface DtlsRecordSenderOptions {
  readonly send: (datagram: Buffer) => void;
  /** The encrypted record of the handshake once more, under this or a higher number; `undefined` before there is one. */
  readonly sealAgain: (sequenceNumber: number) => { record: Buffer; sequenceNumber: number } | undefined;
}

/**
 * werift sends each message of a flight as a datagram of its own, and repeats a flight byte for byte. Whoever keeps to
 * the RFC then drops the repetition as a replay (section 4.1.2.6), so that a flight of which one message was overtaken
 * by another or lost is never completed: with 10 ms of jitter every second handshake with OpenSSL hung. Here a flight
 * goes out in as few datagrams as hold it, and each record has a number of its own (section 4.1).
 */
export class DtlsRecordSender {
  readonly #options: DtlsRecordSenderOptions;
  /** Highest number sent, by epoch. */
  readonly #highest = new Map<number, number>();
  #waiting: Buffer[] = [];

  constructor(options: DtlsRecordSenderOptions) {
    this.#options = options;
  }

  /** Takes what werift sends; whole records, one or more. */
  add(packet: Buffer): void {
    if (this.#waiting.length === 0) queueMicrotask(() => this.#flush());
    for (let offset = 0; offset + HEADER_BYTES <= packet.length; ) {
      const end = offset + HEADER_BYTES + packet.readUInt16BE(offset + LENGTH_OFFSET);
      this.#waiting.push(this.#numbered(packet.subarray(offset, end)));
      offset = end;
    }
  }

  #numbered(record: Buffer): Buffer {
    const epoch = record.readUInt16BE(EPOCH_OFFSET);
    const given = record.readUIntBE(SEQUENCE_OFFSET, 6);
    const free = (this.#highest.get(epoch) ?? -1) + 1;
    if (given >= free) {
      this.#highest.set(epoch, given);
      return record;
    }
    if (epoch > 0) {
      // The number is part of what the seal protects.
      const again = this.#options.sealAgain(free);
      if (again !== undefined) this.#highest.set(epoch, again.sequenceNumber);
      return again?.record ?? record;
    }
    const renumbered = Buffer.from(record);
    renumbered.writeUIntBE(free, SEQUENCE_OFFSET, 6);
    this.#highest.set(epoch, free);
    return renumbered;
  }

  #flush(): void {
    let datagram: Buffer[] = [];
    let bytes = 0;
    for (const record of this.#waiting.splice(0)) {
      if (bytes > 0 && bytes + record.length > MAX_DATAGRAM_BYTES) {
        this.#options.send(Buffer.concat(datagram));
        datagram = [];
        bytes = 0;
      }
      datagram.push(record);
      bytes += record.length;
    }
    if (bytes > 0) this.#options.send(Buffer.concat(datagram));
  }
}
