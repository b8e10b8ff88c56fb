import { MeetError } from '../../protocol/errors.ts';

/** Addresses are multiples of this, for aligned vector loads. */
const ALIGNMENT = 64;

interface Block {
  readonly at: number;
  readonly size: number;
}

interface UsedBlock {
  readonly size: number;
  holders: number;
}

/** Gives out pieces of a memory, first fit, and takes them back when nobody holds them any more. */
export class Blocks {
  /** By address; no two touch each other. */
  #free: Block[];
  readonly #used = new Map<number, UsedBlock>();
  #bytes = 0;

  /** @param from first byte to give out @param to first byte after the last */
  constructor(from: number, to: number) {
    const at = Math.ceil(from / ALIGNMENT) * ALIGNMENT;
    this.#free = [{ at, size: to - at }];
  }

  /** Bytes that are given out. */
  get used(): number {
    return this.#bytes;
  }

  /** Address of so many bytes, held once. @throws MeetError `out-of-memory` */
  take(bytes: number): number {
    const size = Math.ceil(Math.max(1, bytes) / ALIGNMENT) * ALIGNMENT;
    const index = this.#free.findIndex((block) => block.size >= size);
    const block = this.#free[index];
    if (!block) {
      throw new MeetError('out-of-memory', 'There are more or larger pictures than a recording can hold.', {
        hint: 'Record a smaller picture, or ask those who share very large screens for a smaller window.',
      });
    }
    const rest = { at: block.at + size, size: block.size - size };
    this.#free.splice(index, 1, ...(rest.size > 0 ? [rest] : []));
    this.#used.set(block.at, { size, holders: 1 });
    this.#bytes += size;
    return block.at;
  }

  /** Holds a piece once more. */
  hold(at: number): void {
    const block = this.#used.get(at);
    if (!block) throw new RangeError(`No piece of memory at ${at} is given out.`);
    block.holders += 1;
  }

  /** Lets go of a piece. */
  give(at: number): void {
    const block = this.#used.get(at);
    if (!block) throw new RangeError(`No piece of memory at ${at} is given out.`);
    block.holders -= 1;
    if (block.holders > 0) return;
    this.#used.delete(at);
    const { size } = block;
    this.#bytes -= size;
    const next = this.#free.findIndex((block) => block.at > at);
    const index = next < 0 ? this.#free.length : next;
    const before = this.#free[index - 1];
    const after = this.#free[index];
    const joinsBefore = before !== undefined && before.at + before.size === at;
    const joinsAfter = after !== undefined && at + size === after.at;
    const from = joinsBefore ? before.at : at;
    const to = joinsAfter ? after.at + after.size : at + size;
    this.#free.splice(index - (joinsBefore ? 1 : 0), (joinsBefore ? 1 : 0) + (joinsAfter ? 1 : 0), {
      at: from,
      size: to - from,
    });
  }
}
