/** The sound of one track as speech models take it: 16 kHz, mono, 16 bit, with silence where nothing came. */
import { type FileHandle, open, writeFile } from 'node:fs/promises';
import type { Ffmpeg } from '../../../media/ffmpeg/locate.ts';
import { exitFailure, FfmpegProcess } from '../../../media/ffmpeg/process.ts';
import { saveError } from '../../../media/save/index.ts';
import { MeetError } from '../../../protocol/errors.ts';
import { LevelMeter, type Span } from './speech.ts';
import { SPEECH_RATE } from './types.ts';

const BYTES_A_MS = (SPEECH_RATE * 2) / 1_000;

/** Decoded sound in a file of its own. */
export class TrackAudio {
  readonly path: string;
  /** Decibels below full scale, for each 20 ms. */
  readonly levels: readonly number[];

  private constructor(path: string, levels: readonly number[]) {
    this.path = path;
    this.levels = levels;
  }

  /**
   * Decodes the track into `path`. Two bytes a sample: 115 MB an hour.
   *
   * @throws MeetError `ffmpeg-failed`, `disk-full`; the reason of the signal
   */
  static async decode(
    ffmpeg: Ffmpeg,
    track: string,
    path: string,
    signal?: AbortSignal,
  ): Promise<TrackAudio> {
    signal?.throwIfAborted();
    // Senders stop while nobody speaks: without `async` the rest would move forward by each such time.
    const filter = `aresample=${SPEECH_RATE}:async=1:first_pts=0:min_hard_comp=0.02`;
    const child = new FfmpegProcess({
      path: ffmpeg.path,
      args: [
        ...['-v', 'error', '-i', `file:${track}`, '-map', '0:a:0', '-af', filter],
        ...['-ac', '1', '-ar', String(SPEECH_RATE), '-f', 's16le', 'pipe:3'],
      ],
      outputs: 1,
    });
    const abort = () => void child.close();
    signal?.addEventListener('abort', abort, { once: true });
    let file: FileHandle | undefined;
    try {
      file = await open(path, 'w');
      const meter = new LevelMeter();
      let bytes = 0;
      for await (const chunk of child.outputs[0]!) {
        const data = chunk as Buffer;
        meter.add(data);
        bytes += data.length;
        await file.writeFile(data);
      }
      const exit = await child.exit;
      const failure = exitFailure(exit, `decoding ${track}`);
      signal?.throwIfAborted();
      // A track of which a crash left no packet is silence, and no reason to lose the others' words.
      if (failure && !(bytes === 0 && exit.code !== null)) throw failure;
      return new TrackAudio(path, meter.finish());
    } catch (error) {
      throw signal?.aborted || error instanceof MeetError ? error : saveError(path, error);
    } finally {
      signal?.removeEventListener('abort', abort);
      await child.close();
      await file?.close();
    }
  }

  /** Writes a piece as a WAV file. @throws MeetError `disk-full`, `no-permission` */
  async writeWav({ startMs, endMs }: Span, path: string): Promise<void> {
    const from = Math.round(startMs) * BYTES_A_MS;
    const data = Buffer.alloc(Math.round(endMs) * BYTES_A_MS - from);
    const file = await open(this.path, 'r');
    try {
      const { bytesRead } = await file.read(data, 0, data.length, from);
      await writeFile(path, Buffer.concat([wavHeader(bytesRead), data.subarray(0, bytesRead)]));
    } catch (error) {
      throw saveError(path, error);
    } finally {
      await file.close();
    }
  }
}

/** RIFF WAVE, PCM. */
function wavHeader(bytes: number): Buffer {
  const header = Buffer.alloc(44);
  header.write('RIFF', 0);
  header.writeUInt32LE(36 + bytes, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(SPEECH_RATE, 24);
  header.writeUInt32LE(SPEECH_RATE * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36);
  header.writeUInt32LE(bytes, 40);
  return header;
}
