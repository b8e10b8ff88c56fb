import { day } from '../chat/format.ts';
import type { Entry, Timeline } from '../chat/timeline.ts';
import { type Line, segment } from './line.ts';
import { entryLines, type MessageView } from './messages.ts';

/** Lines of entries are kept as long as the columns stay: wrapping thousands of messages takes its time. */
interface Wrapped {
  readonly entry: Entry;
  readonly lines: readonly Line[];
}

/** The messages as a window of so many rows that can be scrolled back. */
export class MessagePane {
  readonly #timeline: Timeline;
  #wrapped = new Map<string, Wrapped>();
  #viewKey = '';
  /** Rows hidden below the window. */
  #scroll = 0;
  #lastKey: string | undefined;
  #rows = 1;
  #reachedTop = false;

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  /** Rows hidden below the window; 0 shows the latest. */
  get scrolled(): number {
    return this.#scroll;
  }

  /** The window shows the first line that there is. */
  get reachedTop(): boolean {
    return this.#reachedTop;
  }

  /** Pages back (−1) or forward (1). */
  page(direction: -1 | 1): void {
    this.#scroll = Math.max(0, this.#scroll - direction * Math.max(1, this.#rows - 1));
  }

  toEnd(): void {
    this.#scroll = 0;
  }

  /** The lines to show. What comes while the window is scrolled back leaves it where it is. */
  lines(view: MessageView, rows: number): Line[] {
    this.#rows = rows;
    const viewKey = `${view.columns} ${view.selfLabel} ${Object.values(view.emoji).join()}`;
    if (viewKey !== this.#viewKey) this.#wrapped = new Map();
    this.#viewKey = viewKey;
    const { entries } = this.#timeline;
    this.#hold(view);
    this.#lastKey = entries.at(-1)?.key;
    const wanted = rows + this.#scroll;
    const blocks: (readonly Line[])[] = [];
    let count = 0;
    let index = entries.length - 1;
    for (; index >= 0 && count < wanted; index -= 1) {
      const block = this.#block(index, view);
      blocks.push(block);
      count += block.length;
    }
    this.#reachedTop = index < 0 && count <= wanted;
    // Beyond the first line there is nothing to scroll to.
    if (count < wanted) this.#scroll = Math.max(0, count - rows);
    const all = blocks.reverse().flat();
    const end = all.length - this.#scroll;
    return all.slice(Math.max(0, end - rows), end);
  }

  /** Keeps the window's place among what has come since. */
  #hold(view: MessageView): void {
    const { entries } = this.#timeline;
    if (this.#scroll === 0 || this.#lastKey === undefined) return;
    for (let index = entries.length - 1; index >= 0 && entries[index]!.key !== this.#lastKey; index -= 1)
      this.#scroll += this.#block(index, view).length;
  }

  /** An entry's lines, after the date where it is of another day than the one before. */
  #block(index: number, view: MessageView): readonly Line[] {
    const entry = this.#timeline.entries[index]!;
    const before = this.#timeline.entries[index - 1];
    const lines = this.#linesOf(entry, view);
    if (before === undefined || day(before.at) === day(entry.at)) return lines;
    return [[segment(`── ${day(entry.at)} ──`, 'dim')], ...lines];
  }

  #linesOf(entry: Entry, view: MessageView): readonly Line[] {
    const known = this.#wrapped.get(entry.key);
    if (known?.entry === entry) return known.lines;
    const lines = entryLines(entry, view);
    this.#wrapped.set(entry.key, { entry, lines });
    return lines;
  }
}
