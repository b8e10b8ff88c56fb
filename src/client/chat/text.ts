/** Other people's text, made fit for a terminal. */

/**
 * Control characters, so that no escape sequence begins (C0, C1, DEL); format characters, which turn the direction of
 * text or hide it (bidirectional overrides and isolates, zero-width spaces, tags), but for the joiners that emoji and
 * some scripts need; lone surrogates; separators that break the line; fillers that look like nothing.
 */
const ACTED_ON = /[[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u{115f}\u{1160}\u{3164}\u{ffa0}]--[\u{200c}\u{200d}]]/gv;
/** Marks stacked on one letter reach into the lines above and below it. */
const STACKED_MARKS = /(\p{M}{4})\p{M}+/gu;
const MAX_MARKS = '$1';
const REPLACEMENT = '\u{fffd}';

/** One line of it: whatever a terminal would act on is replaced by U+FFFD. */
export function harmless(text: string): string {
  return text.replace(ACTED_ON, REPLACEMENT).replace(STACKED_MARKS, MAX_MARKS);
}

/** Several lines of it: line ends stay (CR LF as one), tabs become spaces. */
export function harmlessLines(text: string): string[] {
  return text
    .replaceAll('\t', '    ')
    .split(/\r\n|\n|\r/)
    .map(harmless);
}
