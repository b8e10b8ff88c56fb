/** Emoji of several characters, which not every terminal draws as one. */

/** What a terminal draws in two columns: it is asked, as tables of terminals are out of date when they are made. */
export interface EmojiSupport {
  /** Several emoji joined to one: a family. */
  readonly joined: boolean;
  /** Skin tones. */
  readonly modifiers: boolean;
  /** A sign with U+FE0F after it: ❤️. */
  readonly presentation: boolean;
  /** Two regional indicators: 🇫🇷. */
  readonly flags: boolean;
  /** A digit in a box: 1️⃣. */
  readonly keycaps: boolean;
}

/** What every terminal can do. */
export const NO_EMOJI_SEQUENCES: EmojiSupport = {
  joined: false,
  modifiers: false,
  presentation: false,
  flags: false,
  keycaps: false,
};

/** One of each kind, to ask a terminal with; all are two columns wide where they are drawn as one. */
export const EMOJI_SAMPLES: Readonly<Record<keyof EmojiSupport, string>> = {
  joined: '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}',
  modifiers: '\u{1f44d}\u{1f3fd}',
  presentation: '\u2764\ufe0f',
  flags: '\u{1f1eb}\u{1f1f7}',
  keycaps: '1\ufe0f\u20e3',
};

const SEQUENCE = /[\u200d\ufe0f\u20e3\u{1f3fb}-\u{1f3ff}\u{1f1e6}-\u{1f1ff}]/u;
const REGIONAL_INDICATOR_A = 0x1f1e6;

/**
 * The text with each sequence that the terminal does not know replaced by its first or plain part, so that what
 * is counted is what is drawn.
 */
export function drawable(text: string, support: EmojiSupport): string {
  if (!SEQUENCE.test(text)) return text;
  let drawn = text;
  if (!support.joined)
    drawn = drawn.replace(
      /(\p{Extended_Pictographic}[\ufe0f\p{Emoji_Modifier}]*)(\u200d\p{Extended_Pictographic}[\ufe0f\p{Emoji_Modifier}]*)+/gu,
      '$1',
    );
  if (!support.keycaps) drawn = drawn.replace(/([\d#*])\ufe0f?\u20e3/g, '$1');
  if (!support.modifiers)
    drawn = drawn.replace(/(?<=\p{Extended_Pictographic}\ufe0f?)\p{Emoji_Modifier}/gu, '');
  if (!support.presentation) drawn = drawn.replaceAll('\ufe0f', '');
  if (!support.flags)
    drawn = drawn.replace(/[\u{1f1e6}-\u{1f1ff}]/gu, (indicator) =>
      String.fromCodePoint(65 + indicator.codePointAt(0)! - REGIONAL_INDICATOR_A),
    );
  return drawn;
}
