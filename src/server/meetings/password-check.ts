/** Meeting passwords, with a brake on guessing. */
import { MeetError } from '../../protocol/errors.ts';
import { TokenBuckets } from '../signaling/rate.ts';
import { type Meeting, verifyPassword } from '../store/index.ts';

/** Wrong passwords that one address may give for one meeting: ten at once, then one every six seconds. */
const WRONG_PASSWORDS = { perSecond: 1 / 6, burst: 10 };
const RETRY_AFTER_SECONDS = 6;

export class PasswordCheck {
  readonly #wrong = new TokenBuckets(WRONG_PASSWORDS);

  /** @throws MeetError `password-required`, `wrong-password`, `rate-limited` */
  async check(meeting: Meeting, password: string | undefined, address: string): Promise<void> {
    if (meeting.passwordHash === null) return;
    if (password === undefined || password === '') {
      throw new MeetError('password-required', 'The meeting has a password.', {
        hint: 'Give it with the request; the host knows it.',
      });
    }
    const key = `${meeting.id} ${address}`;
    if (!this.#wrong.available(key)) {
      throw new MeetError('rate-limited', 'Too many wrong passwords.', { retryAfter: RETRY_AFTER_SECONDS });
    }
    if (await verifyPassword(password, meeting.passwordHash)) return;
    this.#wrong.take(key);
    throw new MeetError('wrong-password', 'The password is wrong.');
  }
}
