/** Names of files that strangers chose. */

/** Characters of it that are kept; file systems take 255 bytes. */
const MAX_BYTES = 200;
/** Control and format characters (bidirectional overrides among them), lone surrogates, line and paragraph separators. */
const INVISIBLE = /[[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]--[\u{200c}\u{200d}]]/gv;
const NAMELESS = 'file';

/**
 * The last part of a path of any system, without what cannot be seen and without dots and spaces at its ends. Its
 * extension is kept where it has to be shortened.
 */
export function cleanFileName(name: string): string {
  const last = name.split(/[/\\]/).at(-1) ?? '';
  const visible = last.normalize('NFC').replace(INVISIBLE, '').replace(/\s+/gu, ' ');
  const trimmed = visible.replace(/^[\s.]+|[\s.]+$/gu, '');
  if (trimmed === '') return NAMELESS;
  const extension = /\.[A-Za-z0-9]{1,10}$/.exec(trimmed)?.[0] ?? '';
  const stem = trimmed.slice(0, trimmed.length - extension.length);
  return shorten(stem, MAX_BYTES - extension.length) + extension;
}

function shorten(text: string, maxBytes: number): string {
  let kept = '';
  let bytes = 0;
  for (const { segment } of new Intl.Segmenter('und', { granularity: 'grapheme' }).segment(text)) {
    bytes += Buffer.byteLength(segment);
    if (bytes > maxBytes) break;
    kept += segment;
  }
  return kept || NAMELESS;
}
