/** Who may create meetings, and how many. */
import { MeetError } from '../../protocol/errors.ts';
import type { LiveState } from '../cluster/index.ts';
import type { ServerConfig } from '../config.ts';

export class CreateLimiter {
  readonly #live: LiveState;
  readonly #config: Pick<ServerConfig, 'auth' | 'createLimit'>;

  constructor(live: LiveState, config: Pick<ServerConfig, 'auth' | 'createLimit'>) {
    this.#live = live;
    this.#config = config;
  }

  /** Counts one meeting of a user, or of an address without one. @throws MeetError `unauthorized`, `rate-limited` */
  async take(userId: string | null, address: string): Promise<void> {
    const { auth, createLimit } = this.#config;
    if (auth === 'token' && userId === null) {
      throw new MeetError('unauthorized', 'Creating a meeting takes a token on this server.', {
        hint: 'The operator makes one with "meet token".',
      });
    }
    if (createLimit === false) return;
    const key = userId === null ? `create:address:${address}` : `create:user:${userId}`;
    const { value, remainingMs } = await this.#live.counters.increment(key, 1, createLimit.windowMs);
    if (value <= createLimit.count) return;
    throw new MeetError(
      'rate-limited',
      `No more than ${createLimit.count} meetings can be created for now.`,
      {
        retryAfter: Math.max(1, Math.ceil(remainingMs / 1_000)),
      },
    );
  }
}
