/** The fonts of assets/fonts and which of them has a character; a font is read when a name first needs it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Blob, Face, Font } from 'harfbuzzjs';
import { PACKAGE_ROOT } from '../../package-root.ts';

/** Blocks of Unicode, first and last code point, and the font for them. What is in none is sought in `GENERAL`. */
const BLOCKS: readonly (readonly [number, number, string])[] = [
  [0x0530, 0x058f, 'NotoSansArmenian-Regular'],
  [0x0590, 0x05ff, 'NotoSansHebrew-Regular'],
  [0x0600, 0x08ff, 'NotoSansArabic-Regular'],
  [0x0900, 0x097f, 'NotoSansDevanagari-Regular'],
  [0x0980, 0x09ff, 'NotoSansBengali-Regular'],
  [0x0a00, 0x0a7f, 'NotoSansGurmukhi-Regular'],
  [0x0a80, 0x0aff, 'NotoSansGujarati-Regular'],
  [0x0b80, 0x0bff, 'NotoSansTamil-Regular'],
  [0x0c00, 0x0c7f, 'NotoSansTelugu-Regular'],
  [0x0c80, 0x0cff, 'NotoSansKannada-Regular'],
  [0x0d00, 0x0d7f, 'NotoSansMalayalam-Regular'],
  [0x0d80, 0x0dff, 'NotoSansSinhala-Regular'],
  [0x0e00, 0x0e7f, 'NotoSansThai-Regular'],
  [0x0e80, 0x0eff, 'NotoSansLao-Regular'],
  [0x1000, 0x109f, 'NotoSansMyanmar-Regular'],
  [0x10a0, 0x10ff, 'NotoSansGeorgian-Regular'],
  [0x1100, 0x11ff, 'NanumGothic-Regular'],
  [0x1200, 0x139f, 'NotoSansEthiopic-Regular'],
  [0x1780, 0x17ff, 'NotoSansKhmer-Regular'],
  [0x1c90, 0x1cbf, 'NotoSansGeorgian-Regular'],
  [0xa8e0, 0xa8ff, 'NotoSansDevanagari-Regular'],
  [0x2e80, 0x312f, 'DroidSansFallbackFull'],
  [0x3130, 0x318f, 'NanumGothic-Regular'],
  [0x3190, 0xa4cf, 'DroidSansFallbackFull'],
  [0xac00, 0xd7ff, 'NanumGothic-Regular'],
  [0xf900, 0xfaff, 'DroidSansFallbackFull'],
  [0xfb13, 0xfb17, 'NotoSansArmenian-Regular'],
  [0xfb1d, 0xfb4f, 'NotoSansHebrew-Regular'],
  [0xfb50, 0xfdff, 'NotoSansArabic-Regular'],
  [0xfe70, 0xfefc, 'NotoSansArabic-Regular'],
  [0xff00, 0xffef, 'DroidSansFallbackFull'],
  [0x1f000, 0x1faff, 'NotoEmoji-Regular'],
  [0x20000, 0x2fa1f, 'DroidSansFallbackFull'],
];
const MAIN = 'NotoSans-Regular';
const EMOJI = 'NotoEmoji-Regular';
const GENERAL = [MAIN, 'NotoSansSymbols2-Regular', 'DroidSansFallbackFull', EMOJI];
/** Emoji presentation: the character before is meant as a picture. */
const EMOJI_PRESENTATION = 0xfe0f;
/** Joiners and variation selectors: they choose among glyphs and need none of their own. */
const IGNORABLE = /^(\u200c|\u200d|[\ufe00-\ufe0f])$/u;

export interface LoadedFont {
  readonly name: string;
  readonly font: Font;
  /** Units of an em, in which outlines and advances are. */
  readonly unitsPerEm: number;
  /** It has a space of ordinary width. */
  readonly spaced: boolean;
}

const loaded = new Map<string, LoadedFont>();

function load(name: string): LoadedFont {
  let found = loaded.get(name);
  if (!found) {
    const bytes = readFileSync(join(PACKAGE_ROOT, 'assets', 'fonts', `${name}.ttf`));
    const face = new Face(new Blob(new Uint8Array(bytes).buffer));
    const font = new Font(face);
    const spaced = name !== EMOJI && font.nominalGlyph(0x20) !== undefined;
    found = { name, font, unitsPerEm: face.upem, spaced };
    loaded.set(name, found);
  }
  return found;
}

/** The font for text without any character of its own, and for what no font has. */
export function mainFont(): LoadedFont {
  return load(MAIN);
}

/** The font that has all of a cluster (what a reader takes for one character); `undefined` where none has. */
export function fontFor(cluster: string): LoadedFont | undefined {
  const points = Array.from(cluster, (character) => character.codePointAt(0)!);
  const first = points[0]!;
  const block = BLOCKS.find(([from, to]) => first >= from && first <= to)?.[2];
  const emoji = points.includes(EMOJI_PRESENTATION) ? [EMOJI] : [];
  const names = [...emoji, ...(block === undefined ? [] : [block]), ...GENERAL];
  for (const name of names) {
    const candidate = load(name);
    const has = (character: string) =>
      IGNORABLE.test(character) || candidate.font.nominalGlyph(character.codePointAt(0)!) !== undefined;
    if (Array.from(cluster).every(has)) return candidate;
  }
  return undefined;
}
