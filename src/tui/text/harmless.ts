/** Text of others, made safe for a terminal: what it would act on, and what hides or reorders what stands there. */

/** Stands for what is not shown. */
const STAND_IN = '\u{fffd}';

/**
 * Controls (an escape sequence is nothing without its first character), format characters such as bidi overrides and
 * zero-width spaces, halves of surrogate pairs, characters of private meaning, and letters that are blank.
 */
const HARMFUL = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\u2028\u2029\u115f\u1160\u3164\uffa0]/gu;
/** Joiners that make one emoji of several, or that scripts need between two of their letters. */
const ZERO_WIDTH_JOINER = '\u200d';
const ZERO_WIDTH_NON_JOINER = '\u200c';
const EMOJI_END = /(?:\p{Extended_Pictographic}|\p{Emoji_Modifier}|\ufe0f)$/u;
const EMOJI_START = /^\p{Extended_Pictographic}/u;
const SCRIPT_END =
  /[\p{Script=Arabic}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Malayalam}\p{Script=Sinhala}\p{Script=Kannada}\p{M}]$/u;
const SCRIPT_START =
  /^[\p{Script=Arabic}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Malayalam}\p{Script=Sinhala}\p{Script=Kannada}]/u;
/** More marks on one letter than any language writes pile up over the lines around it. */
const MARK_PILE = /(\p{M}{8})\p{M}+/gu;
const LINE_BREAKS = /\r\n?|[\v\f\u0085\u2028\u2029]/g;
const TAB = '    ';

/** For names and other things of one line. */
export function harmless(text: string): string {
  return text
    .replace(HARMFUL, (found, at: number) => (joins(text, found, at) ? found : STAND_IN))
    .replace(MARK_PILE, '$1');
}

/** For messages: lines stay lines, and tabs become spaces. */
export function harmlessLines(text: string): string[] {
  return text.replace(LINE_BREAKS, '\n').replaceAll('\t', TAB).split('\n').map(harmless);
}

function joins(text: string, found: string, at: number): boolean {
  if (found !== ZERO_WIDTH_JOINER && found !== ZERO_WIDTH_NON_JOINER) return false;
  const before = text.slice(Math.max(0, at - 2), at);
  const after = text.slice(at + 1, at + 3);
  if (SCRIPT_END.test(before) && SCRIPT_START.test(after)) return true;
  return found === ZERO_WIDTH_JOINER && EMOJI_END.test(before) && EMOJI_START.test(after);
}
