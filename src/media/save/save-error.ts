/** What a failed write means to the user. */
import { type ErrorCode, MeetError } from '../../protocol/errors.ts';

const CODES: Readonly<Record<string, { code: ErrorCode; why: string; hint: string }>> = {
  ENOSPC: { code: 'disk-full', why: 'the disk is full', hint: 'Free some space and save again.' },
  EDQUOT: { code: 'disk-full', why: "the user's disk quota is used up", hint: 'Free some space.' },
  EFBIG: { code: 'disk-full', why: 'the file has become too large', hint: 'Save to another file system.' },
  EACCES: { code: 'no-permission', why: 'permission is denied', hint: 'Choose a folder you may write to.' },
  EPERM: { code: 'no-permission', why: 'it is not permitted', hint: 'Choose a folder you may write to.' },
  EROFS: { code: 'no-permission', why: 'the file system is read-only', hint: 'Choose another folder.' },
  ENOTDIR: { code: 'bad-config', why: 'a part of the path is not a folder', hint: 'Choose another folder.' },
  EEXIST: { code: 'bad-config', why: 'the path is not a folder', hint: 'Choose another folder.' },
  ENAMETOOLONG: { code: 'bad-config', why: 'the path is too long', hint: 'Choose a shorter path.' },
};

/** The error as a sentence: `disk-full`, `no-permission`, `bad-config` for an unusable path, else `internal`. */
export function saveError(path: string, cause: unknown): MeetError {
  if (cause instanceof MeetError) return cause;
  const errno = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const known = CODES[errno];
  const message = cause instanceof Error ? cause.message : String(cause);
  const options = known ? { cause, hint: known.hint } : { cause };
  return new MeetError(known?.code ?? 'internal', `Cannot write ${path}: ${known?.why ?? message}.`, options);
}
