import { EventEmitter } from 'node:events';
import { MeetError } from '../../protocol/errors.ts';
import type { Ffmpeg } from '../ffmpeg/locate.ts';
import { lastMeaningfulLine } from '../ffmpeg/stderr.ts';
import type { FeedEvents, PictureFeed } from './feed.ts';
import { pictureCommand } from './grab-command.ts';
import { Grabber, type GrabCommand } from './grabber.ts';
import type { CapturedPicture, Size } from './pixels.ts';

/** Pictures of files are made no larger than this; what is larger is scaled down. */
const BOX: Size = { width: 1920, height: 1080 };

/** The pictures of an image, a video or a stream, at the speed at which they are to be seen. */
export class FileFeed extends EventEmitter<FeedEvents> implements PictureFeed {
  readonly #command: GrabCommand | undefined;
  #grabber: Grabber;
  #picture: CapturedPicture;
  #begun = false;

  private constructor(grabber: Grabber, command: GrabCommand | undefined) {
    super();
    this.#grabber = grabber;
    this.#picture = grabber.picture;
    this.#command = command;
    if (command === undefined) this.#follow(grabber);
  }

  /**
   * Opens a video that runs from `begin` on, or an image.
   *
   * @throws MeetError `media-unusable`
   */
  static async openFile(ffmpeg: Ffmpeg, path: string, { loop, still }: { loop: boolean; still: boolean }) {
    const name = ['-protocol_whitelist', 'file', '-i', `file:${path}`];
    const first = pictureCommand(ffmpeg, { args: name, filters: [] }, BOX);
    const once = { ...first, args: [...first.args.slice(0, -1), '-frames:v', '1', 'pipe:3'] };
    const grabber = await firstPicture(once, path);
    const times = loop ? ['-stream_loop', '-1'] : [];
    const running = pictureCommand(ffmpeg, { args: ['-re', ...times, ...name], filters: [] }, BOX);
    return new FileFeed(grabber, still ? undefined : running);
  }

  /**
   * Opens a stream that comes now.
   *
   * @param format as ffmpeg names it, where the stream does not tell by itself
   * @throws MeetError `media-unusable`
   */
  static async openStream(ffmpeg: Ffmpeg, input: NodeJS.ReadableStream, format: string | undefined) {
    const named = format === undefined ? [] : format.split(' ').filter(Boolean);
    const kind = named.length === 0 ? [] : named.length === 1 ? ['-f', named[0]!] : named;
    const args = ['-re', ...kind, '-protocol_whitelist', 'pipe', '-i', 'pipe:0'];
    const command = { ...pictureCommand(ffmpeg, { args, filters: [] }, BOX), input };
    return new FileFeed(await firstPicture(command, 'The standard input'), undefined);
  }

  get picture(): CapturedPicture {
    return this.#picture;
  }

  begin(): void {
    if (this.#begun || this.#command === undefined) return;
    this.#begun = true;
    const grabber = new Grabber(this.#command);
    const before = this.#grabber;
    this.#grabber = grabber;
    void before.close();
    this.#follow(grabber);
  }

  /** A file has its own rate. */
  setRate(): void {}

  #follow(grabber: Grabber): void {
    grabber.on('picture', (changed) => {
      this.#picture = grabber.picture;
      this.emit('picture', changed);
    });
    grabber.on('ended', (failure) => this.emit('ended', failure));
  }

  async close(): Promise<void> {
    this.removeAllListeners();
    await this.#grabber.close();
  }
}

async function firstPicture(command: GrabCommand, name: string): Promise<Grabber> {
  const grabber = new Grabber(command);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  grabber.once('picture', () => resolve(true));
  grabber.once('ended', () => resolve(false));
  if (await promise) {
    grabber.removeAllListeners();
    return grabber;
  }
  const line = lastMeaningfulLine((await grabber.exit).stderr);
  throw new MeetError('media-unusable', `${name} gives no picture${line ? ` (${line})` : ''}.`);
}
