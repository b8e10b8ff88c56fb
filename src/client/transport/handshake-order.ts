/** DTLS handshake messages put together and in order, RFC 6347 section 4.2.3 (werift does neither). */

export interface HandshakeMessage {
  readonly type: number;
  readonly seq: number;
  readonly body: Buffer;
}

export interface HandshakeFragment {
  readonly type: number;
  readonly seq: number;
  /** Of the whole message. */
  readonly length: number;
  readonly offset: number;
  readonly data: Buffer;
}

/** A certificate chain of a few kilobytes is the largest message there is. */
const MAX_MESSAGE_BYTES = 32_768;
/** No flight has more messages than this. */
const MAX_AHEAD = 16;

interface PartialMessage {
  readonly type: number;
  readonly body: Buffer;
  /** One byte for each of the body, 1 where it has come. */
  readonly present: Buffer;
  missing: number;
}

export class HandshakeOrder {
  #next = 0;
  #last: HandshakeMessage | undefined;
  readonly #waiting = new Map<number, PartialMessage>();
  readonly #deliver: (message: HandshakeMessage, repeated: boolean) => void;

  /**
   * `deliver` gets each message once and in order, and the latest one again when the peer repeats it,
   * because that means that our answer was lost.
   */
  constructor(deliver: (message: HandshakeMessage, repeated: boolean) => void) {
    this.#deliver = deliver;
  }

  /** Malformed and contradictory fragments are dropped. */
  add(fragment: HandshakeFragment): void {
    const { type, seq, length, offset, data } = fragment;
    if (length > MAX_MESSAGE_BYTES || offset + data.length > length) return;
    if (seq < this.#next) {
      const last = this.#last;
      if (last?.seq === seq && last.type === type && data.length === length && last.body.equals(data))
        this.#deliver(last, true);
      return;
    }
    if (seq >= this.#next + MAX_AHEAD) return;
    const partial = this.#partial(fragment);
    if (partial.type !== type || partial.body.length !== length) return;
    data.copy(partial.body, offset);
    for (let i = offset; i < offset + data.length; i++) {
      if (partial.present[i] === 0) partial.missing--;
      partial.present[i] = 1;
    }
    this.#drain();
  }

  #partial({ type, seq, length }: HandshakeFragment): PartialMessage {
    const known = this.#waiting.get(seq);
    if (known !== undefined) return known;
    const partial = { type, body: Buffer.alloc(length), present: Buffer.alloc(length), missing: length };
    this.#waiting.set(seq, partial);
    return partial;
  }

  #drain(): void {
    for (;;) {
      const partial = this.#waiting.get(this.#next);
      if (partial === undefined || partial.missing > 0) return;
      this.#waiting.delete(this.#next);
      this.#last = { type: partial.type, seq: this.#next, body: partial.body };
      this.#next++;
      this.#deliver(this.#last, false);
    }
  }
}
