/** ffmpeg runs whose every packet is counted, so that a copy can be compared with what it was made of. */
import { createHash, type Hash } from 'node:crypto';
import { createInterface } from 'node:readline';
import type { Ffmpeg } from '../../../media/ffmpeg/locate.ts';
import { exitFailure, FfmpegProcess } from '../../../media/ffmpeg/process.ts';

/** What went through one stream. */
export interface StreamSum {
  readonly packets: number;
  /** Of the packets' sizes and checksums, in their order. */
  readonly digest: string;
  /** Where the last packet ends, seconds from the first one's beginning. */
  readonly seconds: number;
}

export interface RunOptions {
  /** Completes "ffmpeg … while …". */
  readonly work: string;
  readonly signal?: AbortSignal | undefined;
  /** Is given the end of what ffmpeg has to say, at its level `info`. */
  readonly onLog?: (text: string) => void;
}

/**
 * Runs ffmpeg with these arguments and gives what it read of the picture and sound of its first input, in that order.
 *
 * The list of packets comes through a pipe, and that also ends an ffmpeg whose parent was killed: it stops when nobody
 * reads any more.
 *
 * @throws MeetError `ffmpeg-failed`, `ffmpeg-missing`; the reason of the signal
 */
export async function runCounted(
  ffmpeg: Ffmpeg,
  args: readonly string[],
  { work, signal, onLog }: RunOptions,
): Promise<StreamSum[]> {
  signal?.throwIfAborted();
  const list = ['-map', '0:v?', '-map', '0:a?', '-c', 'copy', '-f', 'framecrc', 'pipe:3'];
  const child = new FfmpegProcess({
    path: ffmpeg.path,
    args: ['-v', onLog ? 'info' : 'error', ...args, ...list],
    outputs: 1,
  });
  const abort = () => void child.close();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    const sums = new PacketSums();
    for await (const line of createInterface({ input: child.outputs[0]! })) sums.add(line);
    const exit = await child.exit;
    const failure = exitFailure(exit, work);
    signal?.throwIfAborted();
    if (failure) throw failure;
    onLog?.(exit.stderr);
    return sums.finish();
  } finally {
    signal?.removeEventListener('abort', abort);
    await child.close();
  }
}

/** Lines of ffmpeg's framecrc: `stream, dts, pts, duration, size, 0xchecksum`, after `#tb stream: 1/1000`. */
class PacketSums {
  readonly #timeBases = new Map<number, number>();
  readonly #streams = new Map<number, { packets: number; hash: Hash; first: number; end: number }>();

  add(line: string): void {
    const base = /^#tb (\d+): (\d+)\/(\d+)/.exec(line);
    if (base) this.#timeBases.set(Number(base[1]), Number(base[2]) / Number(base[3]));
    if (line.startsWith('#') || line === '') return;
    const [stream = '', , pts, duration, size = '', checksum = ''] = line
      .split(',')
      .map((part) => part.trim());
    const index = Number(stream);
    const begin = Number(pts) * (this.#timeBases.get(index) ?? 0);
    const end = begin + Number(duration) * (this.#timeBases.get(index) ?? 0);
    let sum = this.#streams.get(index);
    if (!sum) {
      sum = { packets: 0, hash: createHash('sha256'), first: begin, end };
      this.#streams.set(index, sum);
    }
    sum.packets += 1;
    sum.hash.update(`${size},${checksum}\n`);
    sum.first = Math.min(sum.first, begin);
    sum.end = Math.max(sum.end, end);
  }

  finish(): StreamSum[] {
    return [...this.#streams]
      .sort(([a], [b]) => a - b)
      .map(([, { packets, hash, first, end }]) => ({
        packets,
        digest: hash.digest('hex'),
        seconds: end - first,
      }));
  }
}
