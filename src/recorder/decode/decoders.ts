import type { PixelMemory } from '../canvas/pixels.ts';
import { DecoderProcess } from './decoder-process.ts';

/**
 * Starts decoders and keeps one that waits: a track that changes its size or whose decoder died goes on with a process that
 * has started already. It takes 15 MB and no time of the processor.
 */
export class Decoders {
  readonly memory: PixelMemory;
  readonly #ffmpegPath: string | undefined;
  #spare: Promise<DecoderProcess> | undefined;
  #closed = false;

  constructor(memory: PixelMemory, options: { ffmpegPath?: string } = {}) {
    this.memory = memory;
    this.#ffmpegPath = options.ffmpegPath;
  }

  /** A process that waits for its input. @throws MeetError `ffmpeg-missing`, `no-permission` */
  async take(): Promise<DecoderProcess> {
    const spare = this.#spare;
    this.#spare = undefined;
    const ready = await spare?.catch(() => undefined);
    const usable = ready?.ffmpeg.pid === undefined ? undefined : ready;
    if (ready && !usable) await ready.close();
    const decoder = usable ?? (await this.#start());
    if (!this.#closed && !this.#spare) {
      this.#spare = this.#start();
      // Whoever takes it hears of it.
      this.#spare.catch(() => {});
    }
    return decoder;
  }

  #start(): Promise<DecoderProcess> {
    return DecoderProcess.start(this.memory, this.#ffmpegPath);
  }

  /** Ends the one that waits; those that were taken are closed by who took them. */
  async close(): Promise<void> {
    this.#closed = true;
    const spare = this.#spare;
    this.#spare = undefined;
    await (await spare?.catch(() => undefined))?.close();
  }
}
