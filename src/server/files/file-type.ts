/** What a file is, by its content, and whether that is taken. */
import { open } from 'node:fs/promises';
import { fileTypeFromFile } from 'file-type';
import { MeetError } from '../../protocol/errors.ts';
import { contentTypeOf } from '../store/index.ts';

const PROGRAM_TYPES: ReadonlySet<string> = new Set([
  'application/x-msdownload',
  'application/vnd.microsoft.portable-executable',
  'application/x-elf',
  'application/x-mach-binary',
  'application/java-vm',
  'application/x.ms.shortcut',
  'application/x-ms-shortcut',
  'application/wasm',
]);
/** What a double click would run, whatever is in it. */
const PROGRAM_NAMES =
  /\.(exe|dll|com|scr|pif|cpl|msi|msp|bat|cmd|ps1|vbs|vbe|js|jse|wsf|wsh|hta|lnk|reg|jar|app|dmg|apk|deb|rpm|sh|command|desktop)$/i;
/** Enough to tell text from anything else. */
const HEAD_BYTES = 64 * 1024;
const OCTET_STREAM = 'application/octet-stream';

export interface Described {
  /** File on this machine. */
  readonly path: string;
  readonly name: string;
  /** Media type that the sender says. */
  readonly declared: string;
}

/**
 * The media type of the content. Pictures, sound, video, PDF and text have to be what they say that they are.
 *
 * @param accepted patterns such as `image/*`; `undefined` is everything but programs
 * @throws MeetError `file-type-refused`
 */
export async function checkType(
  { path, name, declared }: Described,
  accepted: readonly string[] | undefined,
): Promise<string> {
  const found = (await fileTypeFromFile(path))?.mime;
  if ((found !== undefined && PROGRAM_TYPES.has(found)) || PROGRAM_NAMES.test(name)) {
    throw refused('Programs are not taken.');
  }
  const text = found === undefined && (await isText(path));
  const type = found ?? (text ? textType(name) : OCTET_STREAM);
  const said = declared.split(';')[0]?.trim().toLowerCase() ?? '';
  if (!agrees(said, type, text))
    throw refused(`The file says that it is ${said.slice(0, 80)}, and it is not.`);
  if (accepted !== undefined && !accepted.some((pattern) => matches(type, pattern))) {
    throw refused(`Files of the type ${type} are not taken here.`);
  }
  return type;
}

const refused = (message: string) =>
  new MeetError('file-type-refused', message, { hint: 'Send it as another kind of file.' });

const kindOf = (type: string) => type.split('/')[0] ?? '';

function agrees(said: string, type: string, text: boolean): boolean {
  const kind = kindOf(said);
  // Pictures that are text.
  if (said === 'image/svg+xml') return text || type === 'application/xml';
  if (['image', 'audio', 'video', 'font'].includes(kind)) {
    // Containers such as Ogg and MP4 hold sound or video and are called by either name.
    const media = ['audio', 'video'];
    return (
      kindOf(type) === kind || (media.includes(kind) && [...media, 'application'].includes(kindOf(type)))
    );
  }
  if (kind === 'text') return text || type.endsWith('xml') || type.endsWith('rtf');
  if (said === 'application/pdf' || said === 'application/zip') return type === said;
  return true;
}

function matches(type: string, pattern: string): boolean {
  const plain = type.split(';')[0] ?? type;
  return pattern.endsWith('/*') ? plain.startsWith(pattern.slice(0, -1)) : plain === pattern;
}

function textType(name: string): string {
  const byName = contentTypeOf(name);
  return byName.startsWith('text/') || byName.startsWith('application/json')
    ? byName
    : 'text/plain; charset=utf-8';
}

/** UTF-8 without control characters other than those that text has. */
async function isText(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    const head = buffer.subarray(0, bytesRead);
    // A character may be cut at the end of what was read.
    const decoded = new TextDecoder('utf-8', { fatal: true }).decode(head, {
      stream: bytesRead === HEAD_BYTES,
    });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
    return !/[\u0000-\u0008\u000e-\u001a\u001c-\u001f\u007f]/.test(decoded);
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  } finally {
    await file.close();
  }
}
