/** Names of saved files, from names that strangers chose. */
import type { MediaSource } from '../../protocol/model.ts';

/** Bytes of the participant's name in a file name; most file systems allow 255 for the whole. */
const MAX_NAME_BYTES = 96;
const TRACK_ID_CHARACTERS = 8;

/** Separators and what Windows or a shell's glob would trip over. */
const UNSAFE = /[/\\:*?"<>|[\]{}$`'~!&;#%^]/g;
/** Control and format characters (bidirectional overrides among them), lone surrogates, private use. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu;

/**
 * The name as part of a file name: no separators, control or invisible characters, no dots or dashes at
 * either end, at most 96 bytes of UTF-8; `participant` when nothing is left.
 */
export function sanitizeFileName(name: string): string {
  const visible = name.normalize('NFC').replace(INVISIBLE, '').replace(UNSAFE, '_').replace(/\s+/gu, ' ');
  let kept = '';
  let bytes = 0;
  for (const { segment } of new Intl.Segmenter('und', { granularity: 'grapheme' }).segment(visible)) {
    bytes += Buffer.byteLength(segment);
    if (bytes > MAX_NAME_BYTES) break;
    kept += segment;
  }
  return kept.replace(/^[\s.-]+|[\s.-]+$/gu, '') || 'participant';
}

/** `<participant>-<source>-<track>.<extension>`; `attempt` from 2 on adds a number where the name is taken. */
export function trackFileName(
  track: { readonly participantName: string; readonly source: MediaSource; readonly trackId: string },
  extension: string,
  attempt = 1,
): string {
  const id = track.trackId.replace(/[^A-Za-z0-9]/g, '').slice(0, TRACK_ID_CHARACTERS) || 'track';
  const number = attempt > 1 ? `-${attempt}` : '';
  return `${sanitizeFileName(track.participantName)}-${track.source}-${id}${number}.${extension}`;
}
