import { ChunkQueue, type PictureSink, type StreamReader } from './ivf.ts';

const PACKET = 188;
const SYNC_BYTE = 0x47;
/** Access unit delimiter with its start code; MPEG-TS must have it, RTP need not. */
const DELIMITER = Buffer.from('0000000109', 'hex');

/**
 * Reads the one video stream of an MPEG transport stream (ISO/IEC 13818-1 section 2.4.3) as ffmpeg writes it: one
 * access unit a PES packet, times in ticks of 1/90000 s.
 */
export class MpegTsReader implements StreamReader {
  readonly #sink: PictureSink;
  readonly #pending = new ChunkQueue();
  /** Packet identifier of the video; other packets carry tables. */
  #videoId: number | undefined;
  /** The PES packet that is being put together. */
  #parts: Buffer[] = [];
  #lastTicks = 0;
  #wraps = 0;

  constructor(sink: PictureSink) {
    this.#sink = sink;
  }

  push(chunk: Buffer): void {
    this.#pending.push(chunk);
    for (let packet = this.#pending.take(PACKET); packet; packet = this.#pending.take(PACKET)) {
      this.#packet(packet);
    }
  }

  end(): void {
    this.#flush();
  }

  #packet(packet: Buffer): void {
    const hasPayload = (packet[3]! & 0x10) !== 0;
    if (packet[0] !== SYNC_BYTE || !hasPayload) return;
    const id = packet.readUInt16BE(1) & 0x1fff;
    const startsUnit = (packet[1]! & 0x40) !== 0;
    const payload = packet.subarray(packet[3]! & 0x20 ? 5 + packet[4]! : 4);
    if (startsUnit && isVideoStart(payload)) {
      this.#flush();
      this.#videoId = id;
    }
    if (id === this.#videoId) this.#parts.push(payload);
  }

  #flush(): void {
    if (this.#parts.length === 0) return;
    const pes = Buffer.concat(this.#parts);
    this.#parts = [];
    let data = pes.subarray(9 + pes[8]!);
    if (data.subarray(0, DELIMITER.length).equals(DELIMITER)) data = data.subarray(DELIMITER.length + 1);
    this.#sink(this.#unwrap(readTimestamp(pes, 9)), data);
  }

  /** Times have 33 bits: they start again after 26.5 hours. */
  #unwrap(ticks: number): number {
    if (ticks < this.#lastTicks - 2 ** 32) this.#wraps += 1;
    this.#lastTicks = ticks;
    return ticks + this.#wraps * 2 ** 33;
  }
}

/** A PES packet of a video stream begins with 000001 and a stream id of E0 to EF. */
function isVideoStart(payload: Buffer): boolean {
  return payload.length > 14 && payload.readUIntBE(0, 3) === 1 && (payload[3]! & 0xf0) === 0xe0;
}

/** 33 bits in five bytes, with marker bits in between. */
function readTimestamp(pes: Buffer, at: number): number {
  return (
    ((pes[at]! >> 1) & 0x07) * 2 ** 30 +
    pes[at + 1]! * 2 ** 22 +
    (pes[at + 2]! >> 1) * 2 ** 15 +
    pes[at + 3]! * 2 ** 7 +
    (pes[at + 4]! >> 1)
  );
}
