import { type ErrorCode, MeetError } from '../protocol/errors.ts';

/** What to do about a server's refusal, in the words of this command line instead of the server's. */
const HINTS: Partial<Record<ErrorCode, string>> = {
  'password-required': 'Give it with --password or in MEET_PASSWORD; the host knows it.',
  'wrong-password': 'The host knows the right one.',
  'token-expired': 'A host token is good for 30 days; without --host-token you join as a participant.',
  'wrong-meeting': 'A host token is good for the meeting that it was made with only.',
};

/** The error as a person at the command line should read it. */
export function withHint(error: MeetError): MeetError {
  const { code, message, retryAfter, cause } = error;
  const hint = retryAfter === undefined ? HINTS[code] : `Try again in ${retryAfter} s.`;
  return hint === undefined ? error : new MeetError(code, message, { cause, hint });
}
