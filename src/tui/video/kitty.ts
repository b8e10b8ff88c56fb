import { deflateSync } from 'node:zlib';
import type { Picture } from '../../media/decode/video-decoder.ts';
import type { Place, TilePainter } from './types.ts';

/** Longest payload of one escape sequence that the protocol allows, bytes of base64. */
const CHUNK = 4_096;

/**
 * Draws by the graphics protocol of kitty (https://sw.kovidgoyal.net/kitty/graphics-protocol/), which WezTerm, Ghostty
 * and Konsole also have: the terminal scales.
 */
export class KittyPainter implements TilePainter {
  readonly #id: number;

  /** @param id number of the image in the terminal; one that is used again takes the old picture's place */
  constructor(id: number) {
    this.#id = id;
  }

  invalidate(): void {}

  paint({ width, height, rgb }: Picture, { left, top, columns, rows }: Place): string {
    // The lowest level costs a millisecond and halves what crosses an SSH connection.
    const data = deflateSync(rgb, { level: 1 }).toString('base64');
    const keys = [
      // Transmit and show 24-bit RGB; the cursor stays, and no answer is wanted.
      `a=T,f=24,o=z,i=${this.#id},p=1,C=1,q=2`,
      `s=${width},v=${height},c=${columns},r=${rows}`,
    ].join(',');
    let drawn = `\u001b[${top + 1};${left + 1}H`;
    for (let at = 0; at < data.length; at += CHUNK) {
      const more = at + CHUNK < data.length ? 1 : 0;
      const control = at === 0 ? `${keys},m=${more}` : `m=${more}`;
      drawn += `\u001b_G${control};${data.slice(at, at + CHUNK)}\u001b\\`;
    }
    return drawn;
  }

  erase(): string {
    return `\u001b_Ga=d,d=I,i=${this.#id},q=2\u001b\\`;
  }
}
