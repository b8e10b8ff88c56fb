import type { Picture } from '../../media/decode/video-decoder.ts';
import type { TerminalAbility } from '../terminal/ability.ts';
import { fill } from '../text/width.ts';
import { CellPainter } from './cells.ts';
import { KittyPainter } from './kitty.ts';
import { SixelPainter } from './sixel.ts';
import { placeTiles, type Tile } from './tiles.ts';
import type { Place, TilePainter } from './types.ts';

/** A picture to be drawn, or the name alone while there is none yet. */
export interface ShownTile {
  readonly trackId: string;
  readonly label: string;
  readonly picture: Picture | undefined;
}

interface Slot {
  readonly painter: TilePainter;
  trackId: string;
  label: string;
  picture: Picture | undefined;
  tile: Tile;
}

/** Saves and restores the cursor, whose place belongs to the rest of the screen. */
const SAVE_CURSOR = '\u001b7';
const RESTORE_CURSOR = '\u001b8';
/** Synchronised output (mode 2026): the terminal shows all of it at once. */
const BEGIN_UPDATE = '\u001b[?2026h';
const END_UPDATE = '\u001b[?2026l';
/** Image numbers of the kitty protocol, which all programs in a terminal share. */
const FIRST_IMAGE = 0x6d656574;

/** Draws tiles into an area of the terminal that nothing else writes to. */
export class VideoScreen {
  readonly #stdout: NodeJS.WritableStream & { writableNeedDrain?: boolean };
  readonly #ability: TerminalAbility;
  #area: Place | undefined;
  #slots: Slot[] = [];
  #erase = '';

  constructor(stdout: NodeJS.WritableStream & { writableNeedDrain?: boolean }, ability: TerminalAbility) {
    this.#stdout = stdout;
    this.#ability = ability;
  }

  /** Draws here from now on; the area is blank. */
  setArea(area: Place | undefined): void {
    if (JSON.stringify(area) === JSON.stringify(this.#area)) return;
    this.#clear();
    this.#area = area;
  }

  /** What was drawn may have been wiped from the screen: all of it is drawn again. */
  invalidate(): void {
    for (const slot of this.#slots) {
      slot.painter.invalidate();
      slot.picture = undefined;
      slot.label = '';
    }
  }

  /**
   * Draws what has changed since the last call. A terminal that is behind gets nothing, rather than a queue.
   *
   * @returns how many pictures were drawn
   */
  draw(tiles: readonly ShownTile[]): number {
    if (this.#area === undefined || this.#stdout.writableNeedDrain === true) return 0;
    if (tiles.map(({ trackId }) => trackId).join() !== this.#slots.map(({ trackId }) => trackId).join())
      this.#arrange(tiles, this.#area);
    let pictures = 0;
    let drawn = this.#erase;
    this.#erase = '';
    tiles.forEach(({ label, picture }, index) => {
      const slot = this.#slots[index]!;
      if (picture !== undefined && picture !== slot.picture) {
        slot.picture = picture;
        drawn += slot.painter.paint(picture, slot.tile.picture);
        pictures += 1;
      }
      if (label !== slot.label) {
        slot.label = label;
        const { left, top, columns } = slot.tile.label;
        drawn += `\u001b[${top + 1};${left + 1}H\u001b[0m${fill(label, columns)}`;
      }
    });
    if (drawn !== '')
      this.#stdout.write(`${BEGIN_UPDATE}${SAVE_CURSOR}${drawn}${RESTORE_CURSOR}${END_UPDATE}`);
    return pictures;
  }

  /** Takes everything away. */
  close(): void {
    this.#clear();
    if (this.#erase !== '') this.#stdout.write(`${SAVE_CURSOR}${this.#erase}${RESTORE_CURSOR}`);
    this.#erase = '';
    this.#area = undefined;
  }

  #arrange(tiles: readonly ShownTile[], area: Place): void {
    this.#clear();
    const places = placeTiles(tiles.length, area, this.#ability.cell);
    this.#slots = tiles.map(({ trackId }, index) => ({
      painter: this.#painter(index),
      trackId,
      label: '',
      picture: undefined,
      tile: places[index]!,
    }));
  }

  #painter(index: number): TilePainter {
    const { graphics, cell, colors } = this.#ability;
    if (graphics === 'kitty') return new KittyPainter(FIRST_IMAGE + index);
    if (graphics === 'sixel' && cell) return new SixelPainter(cell);
    return new CellPainter(colors);
  }

  /** Leaves the area blank with the next write. */
  #clear(): void {
    if (this.#slots.length === 0 || this.#area === undefined) return;
    const { left, top, columns, rows } = this.#area;
    const blank = ' '.repeat(columns);
    this.#erase += this.#slots.map(({ painter }) => painter.erase()).join('');
    this.#erase += '\u001b[0m';
    for (let row = 0; row < rows; row += 1) this.#erase += `\u001b[${top + row + 1};${left + 1}H${blank}`;
    this.#slots = [];
  }
}
