/** Dropped entries that are kept in place before the rest is moved to the front. */
const COMPACT_AT = 1024;

/**
 * A queue whose items have consecutive numbers: found by number in one step, dropped from the front only.
 * A `Map` in this place took a tenth of the time of sending, for finding its oldest entry after deletions.
 */
export class SequenceQueue<Item> {
  #items: (Item | undefined)[] = [];
  #head = 0;
  #first: number;

  /** `first` is the number of the first item to be pushed. */
  constructor(first: number) {
    this.#first = first;
  }

  get size(): number {
    return this.#items.length - this.#head;
  }

  /** Number of the oldest item, or of the next one while there is none. */
  get first(): number {
    return this.#first;
  }

  /** Number that the next item takes. */
  get next(): number {
    return this.#first + this.size;
  }

  get oldest(): Item | undefined {
    return this.#items[this.#head];
  }

  get newest(): Item | undefined {
    return this.#items.at(-1);
  }

  push(item: Item): void {
    this.#items.push(item);
  }

  get(sequence: number): Item | undefined {
    return sequence < this.#first ? undefined : this.#items[this.#head + sequence - this.#first];
  }

  /** Drops the oldest item. */
  shift(): void {
    if (this.size === 0) return;
    this.#items[this.#head] = undefined;
    this.#head += 1;
    this.#first += 1;
    if (this.#head < COMPACT_AT || this.#head * 2 < this.#items.length) return;
    this.#items = this.#items.slice(this.#head);
    this.#head = 0;
  }

  clear(): void {
    this.#first = this.next;
    this.#items = [];
    this.#head = 0;
  }
}
