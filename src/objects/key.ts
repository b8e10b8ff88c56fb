import { MeetError } from '../protocol/errors.ts';

/** S3 takes 1,024 bytes; half of that leaves room for a bucket prefix and a data folder's path. */
const MAX_KEY_LENGTH = 512;
/** A segment begins with no dot: no `.` or `..`, nothing hidden, and room for the folder's own entries. */
const KEY = /^(?:[A-Za-z0-9_][A-Za-z0-9._-]{0,199}\/)*[A-Za-z0-9_][A-Za-z0-9._-]{0,199}$/;

/**
 * A key is `/`-separated segments of letters, digits, `.`, `_` and `-`, at most 200 characters each and 512 together,
 * none of them beginning with `.` or `-`.
 * @throws MeetError `bad-request`
 */
export function assertObjectKey(key: string): void {
  if (!isObjectKey(key)) {
    throw new MeetError('bad-request', `${JSON.stringify(key.slice(0, 80))} cannot name an object.`, {
      hint: 'Use segments of letters, digits, ".", "_" and "-" with "/" between them.',
    });
  }
}

export function isObjectKey(key: string): boolean {
  return key.length <= MAX_KEY_LENGTH && KEY.test(key);
}

const CONTENT_TYPES: Record<string, string> = {
  aac: 'audio/aac',
  gif: 'image/gif',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  json: 'application/json',
  jsonl: 'application/jsonl',
  m4a: 'audio/mp4',
  mkv: 'video/matroska',
  mov: 'video/quicktime',
  mp3: 'audio/mpeg',
  mp4: 'video/mp4',
  ogg: 'audio/ogg',
  pdf: 'application/pdf',
  png: 'image/png',
  srt: 'application/x-subrip',
  txt: 'text/plain; charset=utf-8',
  vtt: 'text/vtt; charset=utf-8',
  wav: 'audio/wav',
  webm: 'video/webm',
  webp: 'image/webp',
  zip: 'application/zip',
};

/** The media type that the key's extension stands for, else `application/octet-stream`. */
export function contentTypeOf(key: string): string {
  const extension = /\.([A-Za-z0-9]+)$/.exec(key)?.[1]?.toLowerCase() ?? '';
  return CONTENT_TYPES[extension] ?? 'application/octet-stream';
}

/**
 * A Content-Disposition that saves under the name (RFC 6266), which may hold any characters: the second form is for
 * those that understand RFC 8187, the first for those that do not.
 */
export function contentDisposition(downloadName: string): string {
  const name = downloadName.toWellFormed();
  const ascii = name.replace(/[^\x20-\x7e]|["\\/%]/g, '_');
  const encoded = encodeURIComponent(name).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}
