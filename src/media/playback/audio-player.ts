import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { MeetError } from '../../protocol/errors.ts';
import { lastMeaningfulLine } from '../ffmpeg/stderr.ts';
import { OPUS_RATE } from '../opus/index.ts';

const CHANNELS = 2;
const BYTES_A_SAMPLE = 2;
/** Sound that waits for a device that is behind, bytes: more than 200 ms would be heard as an echo of the meeting. */
const MAX_WAITING_BYTES = (OPUS_RATE * CHANNELS * BYTES_A_SAMPLE) / 5;
const STDERR_KEPT = 4_096;
const NO_DEVICE = /audio open failed/;

/** Programs that play what comes through a pipe, the first that is there is used. */
const PROGRAMS: readonly { readonly name: string; readonly args: readonly string[] }[] = [
  {
    // Plays through PulseAudio, PipeWire, ALSA and what else SDL knows.
    name: 'ffplay',
    args: [
      ...['-nodisp', '-autoexit', '-loglevel', 'error', '-fflags', 'nobuffer', '-flags', 'low_delay'],
      ...['-probesize', '32', '-analyzeduration', '0', '-infbuf', '-f', 'wav', '-i', 'pipe:0'],
    ],
  },
  { name: 'aplay', args: ['-q', '-t', 'wav', '--buffer-time=200000', '-'] },
];

interface AudioPlayerEvents {
  /** Nothing is heard any more, or never was. */
  failed: [error: MeetError];
}

/** Plays 16-bit stereo at 48 kHz on the machine's sound device. */
export class AudioPlayer extends EventEmitter<AudioPlayerEvents> {
  readonly #child: ChildProcess;
  readonly #exit: Promise<void>;
  #closed = false;

  private constructor(name: string, child: ChildProcess) {
    super();
    this.#child = child;
    let stderr = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-STDERR_KEPT);
      // ffplay says so, and goes on to wait for a picture.
      if (NO_DEVICE.test(stderr)) child.kill('SIGTERM');
    });
    // A pipe that breaks says nothing that the exit does not say better.
    child.stdin?.on('error', () => {});
    this.#exit = new Promise((resolve) => child.once('close', () => resolve()));
    void this.#exit.then(() => {
      if (this.#closed) return;
      const reason = NO_DEVICE.test(stderr) ? 'no device can be opened' : lastMeaningfulLine(stderr);
      this.emit(
        'failed',
        new MeetError('device-unusable', `${name} cannot play sound here${reason ? `: ${reason}` : ''}.`, {
          hint: 'Is a sound device connected, and may this user use it?',
        }),
      );
    });
    child.stdin?.write(wavHeader());
  }

  /** @throws MeetError `device-unusable` when no program that plays sound is installed */
  static async open(): Promise<AudioPlayer> {
    for (const { name, args } of PROGRAMS) {
      const child = spawn(name, args, { stdio: ['pipe', 'ignore', 'pipe'], windowsHide: true });
      const started = await new Promise<boolean>((resolve) => {
        child.once('spawn', () => resolve(true));
        child.once('error', () => resolve(false));
      });
      if (started) return new AudioPlayer(name, child);
    }
    throw new MeetError('device-unusable', 'Neither ffplay nor aplay is installed to play sound with.', {
      hint: 'Install one: `apt-get install ffmpeg`, or alsa-utils.',
    });
  }

  /** Process id while the player runs. */
  get pid(): number | undefined {
    return this.#child.exitCode === null ? this.#child.pid : undefined;
  }

  /** Plays it after what was given before; left out where the device is too far behind. */
  write(pcm: Int16Array): void {
    const { stdin } = this.#child;
    if (this.#closed || !stdin?.writable || stdin.writableLength > MAX_WAITING_BYTES) return;
    stdin.write(Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength));
  }

  /** Ends the player. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#child.stdin?.destroy();
    if (this.#child.exitCode === null) this.#child.kill('SIGTERM');
    await this.#exit;
  }
}

/** A header of unknown length: what follows is played until the pipe ends. */
function wavHeader(): Buffer {
  const header = Buffer.alloc(44);
  const frame = CHANNELS * BYTES_A_SAMPLE;
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(0xffff_ffff, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(CHANNELS, 22);
  header.writeUInt32LE(OPUS_RATE, 24);
  header.writeUInt32LE(OPUS_RATE * frame, 28);
  header.writeUInt16LE(frame, 32);
  header.writeUInt16LE(8 * BYTES_A_SAMPLE, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(0xffff_ffff, 40);
  return header;
}
