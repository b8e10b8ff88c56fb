import { randomInt, randomUUID } from 'node:crypto';

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';

/** `abc-defg-hij`: 10 random letters, 47 bits, short enough to be read out and too many to be tried out. */
export function newMeetingId(): string {
  const letters = (count: number) =>
    Array.from({ length: count }, () => LETTERS[randomInt(LETTERS.length)]).join('');
  return `${letters(3)}-${letters(4)}-${letters(3)}`;
}

/** Id of anything but a meeting. */
export const newId = (): string => randomUUID();
