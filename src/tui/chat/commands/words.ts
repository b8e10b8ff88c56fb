/** Words of a command line: separated by spaces, with quotes around those that have some. */
export interface Words {
  readonly words: readonly string[];
  /** Where each word begins in the text. */
  readonly starts: readonly number[];
}

const WORD = /"([^"\n]*)"?|'([^'\n]*)'?|(\S+)/g;

export function splitWords(text: string): Words {
  const found = [...text.matchAll(WORD)];
  return {
    words: found.map(([, double, single, plain]) => double ?? single ?? plain ?? ''),
    starts: found.map(({ index }) => index),
  };
}

/** What stands from word n on, as it was written. */
export function restFrom(text: string, { starts }: Words, index: number): string {
  const start = starts[index];
  return start === undefined ? '' : text.slice(start).trim();
}
