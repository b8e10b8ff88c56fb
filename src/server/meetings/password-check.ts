/** Meeting passwords, with a brake on guessing. */
import { MeetError } from '../../protocol/errors.ts';
import { TokenBuckets } from '../signaling/rate.ts';
import { type Meeting, Semaphore, tooManyPasswords, verifyPassword } from '../store/index.ts';

/** Wrong passwords that one address may give for one meeting: ten at once, then one every six seconds. */
const WRONG_PASSWORDS = { perSecond: 1 / 6, burst: 10 };
const RETRY_AFTER_SECONDS = 6;
/** Few at once, so that a class that comes in through one address with the right password is never taken for guessing. */
const CHECKS = { slots: 2, maxWaiting: 100 };

export class PasswordCheck {
  readonly #wrong = new TokenBuckets(WRONG_PASSWORDS);
  readonly #checks = new Semaphore(CHECKS);

  /** @throws MeetError `password-required`, `wrong-password`, `rate-limited` */
  async check(meeting: Meeting, password: string | undefined, address: string): Promise<void> {
    if (meeting.passwordHash === null) return;
    if (password === undefined || password === '') {
      throw new MeetError('password-required', 'The meeting has a password.', {
        hint: 'Give it with the request; the host knows it.',
      });
    }
    const key = `${meeting.id} ${address}`;
    const { passwordHash } = meeting;
    await this.#checks.run(() => this.#verify(password, passwordHash, key), tooManyPasswords);
  }

  async #verify(password: string, passwordHash: string, key: string): Promise<void> {
    // Taken beforehand, since many guesses at once would all find the bucket full.
    if (!this.#wrong.take(key)) {
      throw new MeetError('rate-limited', 'Too many wrong passwords.', { retryAfter: RETRY_AFTER_SECONDS });
    }
    let right: boolean | undefined;
    try {
      right = await verifyPassword(password, passwordHash);
    } finally {
      if (right !== false) this.#wrong.giveBack(key);
    }
    if (!right) throw new MeetError('wrong-password', 'The password is wrong.');
  }
}
