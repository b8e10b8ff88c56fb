/**
 * Reads bit fields, most significant bit first. Past the end it gives zeros and raises `overrun`, so that a
 * parser of a hostile header checks once at its end instead of after each field.
 */
export interface BitReader {
  /** The next `count` bits (0 to 32) as an unsigned number. */
  bits(count: number): number;
  flag(): boolean;
  skip(count: number): void;
  /** Unsigned Exp-Golomb code, ITU-T H.264 section 9.1; at most 2^32 − 2. */
  ue(): number;
  /** Signed Exp-Golomb code. */
  se(): number;
  /** Whether more was read than there is. */
  readonly overrun: boolean;
}

export function bitReader(data: Uint8Array): BitReader {
  const end = data.length * 8;
  let position = 0;
  let overrun = false;

  function bits(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) {
      let bit = 0;
      if (position < end) bit = (data[position >> 3]! >> (7 - (position & 7))) & 1;
      else overrun = true;
      position++;
      value = value * 2 + bit;
    }
    return value;
  }

  function ue(): number {
    let zeros = 0;
    while (bits(1) === 0) {
      zeros++;
      if (zeros > 31 || overrun) {
        overrun = true;
        return 0;
      }
    }
    return 2 ** zeros - 1 + bits(zeros);
  }

  return {
    bits,
    flag: () => bits(1) === 1,
    skip(count) {
      position += count;
      if (position > end) overrun = true;
    },
    ue,
    se() {
      const code = ue();
      return code % 2 === 1 ? (code + 1) / 2 : -code / 2;
    },
    get overrun() {
      return overrun;
    },
  };
}
