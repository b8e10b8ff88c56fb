/** The encoder and its file, for who makes pictures faster or slower than time passes. */
import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import type { Ffmpeg } from '../../media/ffmpeg/locate.ts';
import { saveError } from '../../media/save/index.ts';
import type { MeetError } from '../../protocol/errors.ts';
import { Encoder } from '../encode/index.ts';
import type { EncodeSettings, VideoEncoding } from '../encode/settings.ts';

/** What may be with the encoder and not in the file yet, milliseconds of output. */
const MOST_AHEAD_MS = 5_000;
/** A picture of 720p goes through the pipe in about this time. */
const BUSY_WAIT_MS = 1;

export class RenderOutput {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #encoder: Encoder;
  #writing: Promise<void> = Promise.resolve();
  #failure: MeetError | undefined;
  #writtenMs = 0;
  #onChange: (() => void) | undefined;

  private constructor(path: string, file: FileHandle, encoder: Encoder) {
    this.#path = path;
    this.#file = file;
    this.#encoder = encoder;
    encoder.on('init', (bytes) => this.#write(bytes));
    encoder.on('fragment', ({ bytes, decodeTimeMs, durationMs }) => {
      this.#write(bytes);
      this.#writtenMs = decodeTimeMs + durationMs;
      this.#onChange?.();
    });
    encoder.on('restarted', ({ error }) => this.#fail(error));
    encoder.on('failed', (error) => this.#fail(error));
  }

  /** @throws MeetError `disk-full`, `no-permission` */
  static async open(
    path: string,
    options: { ffmpeg: Ffmpeg; settings: EncodeSettings; encodings: readonly VideoEncoding[] },
  ): Promise<RenderOutput> {
    const file = await open(path, 'w').catch((error: unknown) => {
      throw saveError(path, error);
    });
    return new RenderOutput(path, file, new Encoder(options));
  }

  /** The picture has to be given even if it has not changed. */
  get isStale(): boolean {
    return this.#encoder.stale;
  }

  /** Resolves when the next picture and its sound can be taken. @throws MeetError `ffmpeg-failed`, `disk-full` */
  async ready(): Promise<void> {
    while (this.#encoder.busy && !this.#failure) await wait(BUSY_WAIT_MS);
    while (this.#encoder.outputMs - this.#writtenMs > MOST_AHEAD_MS && !this.#failure) {
      await new Promise<void>((resolve) => {
        this.#onChange = resolve;
      });
    }
    await this.#writing;
    if (this.#failure) throw this.#failure;
  }

  picture(i420: Uint8Array | undefined): void {
    this.#encoder.picture(i420);
  }

  sound(pcm: Int16Array): void {
    this.#encoder.sound(pcm);
  }

  /** Writes the rest. @throws MeetError `ffmpeg-failed`, `disk-full` */
  async finish(): Promise<void> {
    await this.#encoder.finish();
    await this.#writing;
    if (this.#failure) throw this.#failure;
  }

  /** Ends the encoder; may be called twice. */
  async close(): Promise<void> {
    await this.#encoder.close();
    await this.#writing;
    await this.#file.close();
  }

  #write(bytes: Buffer): void {
    this.#writing = this.#writing
      .then(() => (this.#failure ? undefined : this.#file.writeFile(bytes)))
      .catch((error: unknown) => this.#fail(saveError(this.#path, error)));
  }

  /** What was made is made again by the next attempt: there is nothing to be saved here by going on. */
  #fail(error: MeetError): void {
    this.#failure ??= error;
    this.#onChange?.();
  }
}
