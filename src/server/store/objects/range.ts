import { MeetError } from '../../../protocol/errors.ts';
import type { ByteRange } from './types.ts';

/**
 * The range cut to the object's size; without a range the whole object, which is 0 to -1 when it is empty.
 * @throws MeetError `range-not-satisfiable` when no byte of the object lies in it.
 */
export function cutRange(range: ByteRange | undefined, size: number): { start: number; end: number } {
  if (!range) return { start: 0, end: size - 1 };
  const { start, end = size - 1 } = range;
  const sane = Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0;
  if (!sane || start >= size || end < start) {
    throw new MeetError(
      'range-not-satisfiable',
      `The range ${start}-${range.end ?? ''} is not within the object's ${size} bytes.`,
    );
  }
  return { start, end: Math.min(end, size - 1) };
}
