import { MeetError } from '../protocol/errors.ts';
import type { ChangeRecording, LiveRecording, StartRecording } from '../protocol/recording.ts';
import type { StateUpdate } from '../protocol/signaling.ts';
import { changeRecording, type RecordingAddress, startRecording, stopRecording } from './recordings.ts';

/** The recording of a meeting on its server. Each call resolves when the server has taken it. */
export class RecordingControl {
  readonly #address: RecordingAddress;
  readonly #token: () => string;
  #state: LiveRecording | null = null;

  constructor({ token, ...address }: RecordingAddress & { token: () => string }) {
    this.#address = address;
    this.#token = token;
  }

  /** The recording that runs, made by the server or by somebody in the meeting; `null` when none does. */
  get state(): LiveRecording | null {
    return this.#state;
  }

  /** @internal Answers whether it is another one now. */
  apply({ recording }: StateUpdate): boolean {
    if (recording === undefined || JSON.stringify(recording) === JSON.stringify(this.#state)) return false;
    this.#state = recording;
    return true;
  }

  /**
   * @throws MeetError `recording-unavailable` where the server records nothing, `recording-running`, `forbidden` for
   * who may not
   */
  start(options: StartRecording = {}): Promise<void> {
    return this.#call(() => startRecording(this.#address, options, { token: this.#token() }));
  }

  /** @throws MeetError `not-recording`, `forbidden` */
  change(change: ChangeRecording): Promise<void> {
    return this.#call(() => changeRecording(this.#address, change, { token: this.#token() }));
  }

  /** @throws MeetError as `change` */
  stop(): Promise<void> {
    return this.#call(() => stopRecording(this.#address, { token: this.#token() }));
  }

  async #call(call: () => Promise<unknown>): Promise<void> {
    try {
      await call();
    } catch (cause) {
      const error = MeetError.from(cause);
      // As servers say that know of no recordings.
      if (error.code !== 'not-found') throw error;
      throw new MeetError('recording-unavailable', 'This server offers no recording.', {
        cause,
        hint: 'Each participant can save what it receives: `meet join --save`.',
      });
    }
  }
}
