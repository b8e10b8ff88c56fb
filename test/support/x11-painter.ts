/** A window that is painted with whole pictures, for tests and measurements of sharing. */
import { X11Connection } from '../../src/media/capture/x11/connection.ts';

const CREATE_WINDOW = 1;
const DESTROY_WINDOW = 4;
const MAP_WINDOW = 8;
const UNMAP_WINDOW = 10;
const CONFIGURE_WINDOW = 12;
const CHANGE_PROPERTY = 18;
const GET_INPUT_FOCUS = 43;
const CREATE_GC = 55;
const PUT_IMAGE = 72;
const WARP_POINTER = 41;
const WM_NAME = 39;
const STRING = 31;
/** Longest request without extensions is 256 KiB. */
const MAX_IMAGE_BYTES = 240_000;

export interface PaintedWindow {
  readonly id: number;
  /** Paints a picture of the window's size, BGRX, at once: resolves when the server has done it. */
  paint(picture: Buffer, part?: { y: number; rows: number }): Promise<void>;
  move(x: number, y: number): Promise<void>;
  resize(width: number, height: number): Promise<void>;
  unmap(): Promise<void>;
  map(): Promise<void>;
  destroy(): Promise<void>;
}

export class Painter {
  readonly #connection: X11Connection;
  #nextId: number;

  private constructor(connection: X11Connection) {
    this.#connection = connection;
    this.#nextId = connection.root.idBase + 1;
  }

  static async open(display: string): Promise<Painter> {
    return new Painter(await X11Connection.open(display));
  }

  get root(): { width: number; height: number } {
    return this.#connection.root;
  }

  async window(place: {
    x: number;
    y: number;
    width: number;
    height: number;
    title: string;
  }): Promise<PaintedWindow> {
    const id = this.#nextId++;
    const gc = this.#nextId++;
    const connection = this.#connection;
    let { width, height } = place;
    const word = (value: number) => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32LE(value >>> 0);
      return bytes;
    };
    const half = (...values: number[]) => {
      const bytes = Buffer.alloc(values.length * 2);
      values.forEach((value, i) => {
        bytes.writeUInt16LE(value & 0xffff, i * 2);
      });
      return bytes;
    };
    const title = Buffer.from(place.title, 'latin1');
    // Background pixel black (bit 1), no window manager's business (override-redirect, bit 9).
    const create = [word(id), word(connection.root.id), half(place.x, place.y, width, height, 0, 1), word(0)];
    connection.tell(CREATE_WINDOW, 0, ...create, word(0x202), word(0), word(1));
    connection.tell(
      CHANGE_PROPERTY,
      0,
      word(id),
      word(WM_NAME),
      word(STRING),
      word(8),
      word(title.length),
      title,
    );
    connection.tell(CREATE_GC, 0, word(gc), word(id), word(0));
    connection.tell(MAP_WINDOW, 0, word(id));
    const done = async () => void (await connection.ask(GET_INPUT_FOCUS, 0));
    await done();
    return {
      id,
      paint: async (picture, part = { y: 0, rows: height }) => {
        const { y, rows } = part;
        const stride = width * 4;
        const step = Math.floor(MAX_IMAGE_BYTES / stride);
        for (let row = 0; row < rows; row += step) {
          const count = Math.min(step, rows - row);
          const head = [word(id), word(gc), half(width, count, 0, y + row), Buffer.from([0, 24, 0, 0])];
          connection.tell(PUT_IMAGE, 2, ...head, picture.subarray(row * stride, (row + count) * stride));
        }
        await done();
      },
      move: async (x, y) => {
        connection.tell(CONFIGURE_WINDOW, 0, word(id), half(3, 0), word(x), word(y));
        await done();
      },
      resize: async (newWidth, newHeight) => {
        width = newWidth;
        height = newHeight;
        connection.tell(CONFIGURE_WINDOW, 0, word(id), half(12, 0), word(width), word(height));
        await done();
      },
      unmap: async () => {
        connection.tell(UNMAP_WINDOW, 0, word(id));
        await done();
      },
      map: async () => {
        connection.tell(MAP_WINDOW, 0, word(id));
        await done();
      },
      destroy: async () => {
        connection.tell(DESTROY_WINDOW, 0, word(id));
        await done();
      },
    };
  }

  /** Puts the pointer somewhere, such as out of the picture. */
  async point(x: number, y: number): Promise<void> {
    const bytes = Buffer.alloc(20);
    bytes.writeUInt32LE(this.#connection.root.id, 4);
    bytes.writeInt16LE(x, 16);
    bytes.writeInt16LE(y, 18);
    this.#connection.tell(WARP_POINTER, 0, bytes);
    await this.#connection.ask(GET_INPUT_FOCUS, 0);
  }

  close(): void {
    this.#connection.close();
  }
}
