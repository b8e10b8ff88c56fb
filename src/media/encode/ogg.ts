import { ChunkQueue } from './ivf.ts';

const PAGE_HEADER = 27;
/** OpusHead and OpusTags, RFC 7845 section 3. */
const HEADER_PACKETS = 2;

/** Reads the Opus packets of an Ogg stream with one logical stream (RFC 3533 section 6, RFC 7845). */
export class OggOpusReader {
  readonly #sink: (packet: Buffer) => void;
  readonly #pending = new ChunkQueue();
  #partial: Buffer[] = [];
  #packets = 0;

  constructor(sink: (packet: Buffer) => void) {
    this.#sink = sink;
  }

  push(chunk: Buffer): void {
    this.#pending.push(chunk);
    for (;;) {
      const segments = this.#pending.peek(PAGE_HEADER)?.[26];
      if (segments === undefined) return;
      const table = this.#pending.peek(PAGE_HEADER + segments)?.subarray(PAGE_HEADER);
      if (!table) return;
      const body = table.reduce((sum, size) => sum + size, 0);
      if (this.#pending.length < PAGE_HEADER + segments + body) return;
      const lacing = Buffer.from(table);
      this.#pending.take(PAGE_HEADER + segments);
      for (const size of lacing) {
        this.#partial.push(this.#pending.take(size) ?? Buffer.alloc(0));
        // A lacing value of 255 says that the packet goes on.
        if (size < 255) this.#packet();
      }
    }
  }

  end(): void {}

  #packet(): void {
    const packet = this.#partial.length === 1 ? this.#partial[0]! : Buffer.concat(this.#partial);
    this.#partial = [];
    this.#packets += 1;
    if (this.#packets > HEADER_PACKETS && packet.length > 0) this.#sink(packet);
  }
}
