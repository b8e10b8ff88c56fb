import type { LeftInfo, LeftReason } from '../../client/types.ts';
import { ERRORS, type ErrorCode, EXIT, MeetError } from '../../protocol/errors.ts';
import type { Output } from '../output.ts';

/** Reasons that are no error, and their words. */
const GOOD_END = { left: 'Left the meeting.', ended: 'The meeting has ended.' } as const;

const BAD_END: Readonly<
  Record<Exclude<LeftReason, keyof typeof GOOD_END>, { code: ErrorCode; sentence: string }>
> = {
  removed: { code: 'removed', sentence: 'A host removed this participant.' },
  replaced: { code: 'replaced', sentence: 'The same participant connected from elsewhere.' },
  'server-unreachable': { code: 'server-unreachable', sentence: 'The server can no longer be reached.' },
  'connection-failed': { code: 'connection-failed', sentence: 'No media path to the server was found.' },
  'token-expired': { code: 'token-expired', sentence: 'The token has expired; join again.' },
  failed: { code: 'internal', sentence: 'The meeting was left after a failure.' },
};

/** Says how the meeting ended for this participant; gives the exit code. */
export function conclude(
  { output, interrupted }: { output: Output; interrupted: boolean },
  { reason, message, error }: LeftInfo,
): number {
  const word = reason === 'left' && interrupted ? 'interrupted' : reason;
  output.event('left', { reason: word, ...(message === undefined ? {} : { message }) });
  if (reason === 'left' || reason === 'ended') {
    output.line(GOOD_END[reason]);
    return word === 'interrupted' ? EXIT.interrupted : EXIT.done;
  }
  const { code, sentence } = BAD_END[reason];
  const said = error ?? new MeetError(code, message ?? sentence);
  output.error(said);
  // The reason decides where the error could be one of several; `failed` says nothing by itself.
  return reason === 'failed' ? said.exitCode : ERRORS[code].exit;
}
