import { EventEmitter } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { PDFiumLibrary } from '@hyzyla/pdfium';
import { MeetError } from '../../protocol/errors.ts';
import type { FeedEvents, PictureFeed } from './feed.ts';
import { CapturedPicture, evenSize, type Size } from './pixels.ts';

/** Pages are drawn as large as they fit in here: text is as sharp as on a screen of that size. */
const BOX: Size = { width: 1920, height: 1080 };
const WHITE = 255;

type Library = InstanceType<typeof PDFiumLibrary>;
type Document = Awaited<ReturnType<Library['loadDocument']>>;

/** The pages of a PDF, one at a time. */
export class PageFeed extends EventEmitter<FeedEvents> implements PictureFeed {
  readonly pages: number;
  readonly picture: CapturedPicture;
  readonly #library: Library;
  readonly #document: Document;
  #page = 0;
  #drawing: Promise<void> = Promise.resolve();
  #closed = false;

  private constructor(library: Library, document: Document, size: Size) {
    super();
    this.#library = library;
    this.#document = document;
    this.pages = document.getPageCount();
    this.picture = new CapturedPicture('bgr0', size);
  }

  /** Opens the document at its first page. @throws MeetError `media-not-found`, `media-unusable` */
  static async open(path: string): Promise<PageFeed> {
    const bytes = await readFile(path).catch((cause: unknown) => {
      throw new MeetError('media-not-found', `${path} cannot be read.`, { cause });
    });
    const { PDFiumLibrary } = await import('@hyzyla/pdfium');
    const library = await PDFiumLibrary.init();
    try {
      const document = await library.loadDocument(bytes);
      const { originalWidth, originalHeight } = document.getPage(0).getOriginalSize();
      const scale = Math.min(BOX.width / originalWidth, BOX.height / originalHeight);
      const size = evenSize({ width: originalWidth * scale, height: originalHeight * scale });
      const feed = new PageFeed(library, document, size);
      await feed.#draw();
      return feed;
    } catch (cause) {
      library.destroy();
      const locked = cause instanceof Error && /password/i.test(cause.message);
      const why = locked ? 'is protected by a password' : 'is no PDF that can be shown';
      throw new MeetError('media-unusable', `${path} ${why}.`, { cause });
    }
  }

  /** The page that is shown, from 1. */
  get page(): number {
    return this.#page + 1;
  }

  /** Shows a page, from 1; beyond the last it is the last. */
  async show(page: number): Promise<void> {
    const index = Math.min(this.pages, Math.max(1, Math.round(page))) - 1;
    if (index === this.#page || this.#closed) return;
    this.#page = index;
    // The library draws one page at a time; of pages that are turned faster, the last counts.
    this.#drawing = this.#drawing.then(() =>
      this.#page === index && !this.#closed ? this.#draw() : undefined,
    );
    await this.#drawing;
  }

  async #draw(): Promise<void> {
    const { size } = this.picture;
    const page = this.#document.getPage(this.#page);
    const { originalWidth, originalHeight } = page.getOriginalSize();
    const scale = Math.min(size.width / originalWidth, size.height / originalHeight);
    const width = Math.max(1, Math.min(size.width, Math.round(originalWidth * scale)));
    const height = Math.max(1, Math.min(size.height, Math.round(originalHeight * scale)));
    const { data } = await page.render({ width, height, render: 'bitmap', renderFormFields: true });
    if (this.#closed) return;
    this.picture.take(centred(data, { width, height }, size));
    this.emit('picture', this.picture.finish());
  }

  /** Pages have no rate. */
  setRate(): void {}

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.removeAllListeners();
    await this.#drawing;
    this.#document.destroy();
    this.#library.destroy();
  }
}

/** Four bytes a pixel, red first, to four with blue first, in the middle of a white picture. */
function centred(data: Uint8Array, { width, height }: Size, size: Size): Buffer {
  const picture = Buffer.alloc(size.width * size.height * 4, WHITE);
  const left = Math.floor((size.width - width) / 2);
  const top = Math.floor((size.height - height) / 2);
  for (let row = 0; row < height; row += 1) {
    let to = ((top + row) * size.width + left) * 4;
    let from = row * width * 4;
    for (let column = 0; column < width; column += 1, from += 4, to += 4) {
      picture[to] = data[from + 2]!;
      picture[to + 1] = data[from + 1]!;
      picture[to + 2] = data[from]!;
    }
  }
  return picture;
}
