import { EventEmitter } from 'node:events';
import type { Ffmpeg } from '../../media/ffmpeg/locate.ts';
import { exitFailure, FfmpegProcess } from '../../media/ffmpeg/process.ts';
import { MeetError } from '../../protocol/errors.ts';
import type { RecordingFormat } from '../types.ts';
import type { Fragment, Sink } from './types.ts';

/** What may wait for the endpoint; beyond it whole fragments are left out until it has caught up. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;
/** An endpoint that takes nothing for so long is connected to anew. */
const STUCK_MS = 15_000;
const RETRY_MS = [1_000, 2_000, 4_000, 8_000, 15_000, 30_000];
/** A connection that held so long was a good one: the next failure is tried again at once. */
const GOOD_MS = 30_000;
/** For ffmpeg's last packets at the end. */
const CLOSE_MS = 5_000;

interface RtmpEvents {
  /** The endpoint refused or went away; it is tried again after so long. */
  lost: [event: { readonly error: MeetError; readonly retryMs: number }];
  /** Fragments are sent again after a loss. */
  back: [];
  /** The endpoint is too slow: fragments are left out. */
  slow: [];
}

/**
 * Sends the recording to an RTMP or RTMPS endpoint as it is made. A second ffmpeg puts the same packets into FLV, so it
 * costs no encoding, and nothing that happens to it touches the file.
 */
export class RtmpSink extends EventEmitter<RtmpEvents> implements Sink {
  readonly #ffmpeg: Ffmpeg;
  readonly #url: string;
  #init: Buffer | undefined;
  #process: FfmpegProcess | undefined;
  #startedAt = 0;
  #failures = 0;
  #skipping = false;
  #takenAt = 0;
  #retry: NodeJS.Timeout | undefined;
  #wasLost = false;
  #closed = false;

  /** @throws MeetError `bad-config` for an address or a format that RTMP does not take */
  constructor(options: { ffmpeg: Ffmpeg; url: string; format: RecordingFormat }) {
    super();
    if (!/^rtmps?:\/\/[^/\s]+\//.test(options.url)) {
      throw new MeetError(
        'bad-config',
        'The live endpoint is not an rtmp:// or rtmps:// address with a path.',
        {
          hint: 'Give it as rtmp://HOST/APP/KEY.',
        },
      );
    }
    if (options.format === 'webm') {
      throw new MeetError('bad-config', 'RTMP takes H.264 and AAC only, and a WebM recording has neither.', {
        hint: 'Record as MP4 to stream at the same time.',
      });
    }
    this.#ffmpeg = options.ffmpeg;
    this.#url = options.url;
  }

  /** Process id of ffmpeg while it runs. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  init(bytes: Buffer): void {
    this.#init = bytes;
  }

  fragment({ bytes, keyframe }: Fragment): void {
    if (this.#closed || this.#init === undefined || this.#retry !== undefined) return;
    if (this.#process === undefined) {
      if (!keyframe) return;
      this.#start(this.#init);
    }
    const input = this.#process?.input;
    if (!input?.writable) return;
    const now = performance.now();
    if (input.writableLength === 0) this.#takenAt = now;
    if (now - this.#takenAt > STUCK_MS) {
      void this.#process?.close();
      return;
    }
    if (input.writableLength > MAX_WAITING_BYTES) {
      if (!this.#skipping) this.emit('slow');
      this.#skipping = true;
    } else if (keyframe && input.writableLength < MAX_WAITING_BYTES / 2) this.#skipping = false;
    if (this.#skipping) return;
    input.write(bytes, () => {
      this.#takenAt = performance.now();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    const running = this.#process;
    if (running === undefined) return;
    running.input?.end();
    const timer = setTimeout(() => void running.close(), CLOSE_MS);
    await running.exit;
    clearTimeout(timer);
  }

  #start(init: Buffer): void {
    const running = new FfmpegProcess({
      path: this.#ffmpeg.path,
      args: [
        ...['-v', 'error', '-f', 'mp4', '-i', 'pipe:0', '-map', '0', '-c', 'copy'],
        ...[
          '-f',
          'flv',
          '-flvflags',
          'no_duration_filesize',
          '-rw_timeout',
          String(STUCK_MS * 1000),
          this.#url,
        ],
      ],
      outputs: 0,
      input: true,
    });
    this.#process = running;
    this.#startedAt = performance.now();
    this.#takenAt = this.#startedAt;
    this.#skipping = false;
    running.input?.write(init);
    if (this.#wasLost) this.emit('back');
    void running.exit.then((exit) => {
      this.#process = undefined;
      if (this.#closed) return;
      const failure =
        exitFailure(exit, 'sending to the live endpoint') ??
        new MeetError('ffmpeg-failed', 'The live endpoint closed the connection.');
      this.#lost(failure);
    });
  }

  #lost(failure: MeetError): void {
    if (performance.now() - this.#startedAt > GOOD_MS) this.#failures = 0;
    const retryMs = RETRY_MS[Math.min(this.#failures, RETRY_MS.length - 1)]!;
    this.#failures += 1;
    this.#wasLost = true;
    // The address has the stream's key in it, and whoever has that can send in its place.
    const message = failure.message.replaceAll(this.#url, 'the endpoint');
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
    }, retryMs);
    this.emit('lost', {
      error: new MeetError(failure.code, message, failure.hint === undefined ? {} : { hint: failure.hint }),
      retryMs,
    });
  }
}
