import Type from 'typebox';
import { MeetError } from '../protocol/errors.ts';
import { call } from './rest.ts';

/** Starts and stops the recording of a meeting on its server. */
export class RecordingControl {
  readonly #server: string;
  readonly #path: string;
  readonly #token: () => string;

  constructor(options: { server: string; meetingId: string; token: () => string }) {
    this.#server = options.server;
    this.#path = `/meetings/${options.meetingId}/recording`;
    this.#token = options.token;
  }

  /** @throws MeetError `not-found` where the server offers no recording, `forbidden` for who may not */
  start(): Promise<void> {
    return this.#call('POST');
  }

  /** @throws MeetError as `start` */
  stop(): Promise<void> {
    return this.#call('DELETE');
  }

  async #call(method: 'POST' | 'DELETE'): Promise<void> {
    try {
      await call(this.#server, { method, path: this.#path, token: this.#token(), reply: Type.Unknown() });
    } catch (cause) {
      const error = MeetError.from(cause);
      if (error.code !== 'not-found') throw error;
      throw new MeetError('not-found', 'This server offers no recording.', {
        cause,
        hint: 'Each participant can save what it receives: `meet join --save`.',
      });
    }
  }
}
