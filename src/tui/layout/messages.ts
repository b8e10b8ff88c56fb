/** Messages and notices as lines of the screen. */
import { harmless, harmlessLines } from '../../client/chat/text.ts';
import type { ChatMessage } from '../../protocol/chat.ts';
import { clockTime, size } from '../chat/format.ts';
import type { Entry, Tone } from '../chat/timeline.ts';
import { drawable, type EmojiSupport } from '../text/emoji.ts';
import { columnsOf, wrap } from '../text/width.ts';
import { type Line, type Segment, type Style, segment } from './line.ts';

export interface MessageView {
  readonly columns: number;
  readonly selfId: string;
  /** One's own label, for mentions. */
  readonly selfLabel: string;
  readonly emoji: EmojiSupport;
  /** Finds the message that another one answers. */
  readonly message: (id: string) => ChatMessage | undefined;
}

/** Text stands below the name from here on, where the name is too long. */
const INDENT = 6;
const TIME_COLUMNS = 6;
/** From here on there is room for the numbers of messages. */
const NUMBERS_FROM = 72;
/** A name takes no more of a line than this part. */
const NAME_PART = 0.4;
const TONES: Readonly<Record<Tone, Style>> = { info: 'dim', good: 'good', warning: 'warning', bad: 'bad' };
const SIGNS: Readonly<Record<Tone, string>> = { info: '·', good: '·', warning: '!', bad: '!' };

export function entryLines(entry: Entry, view: MessageView): Line[] {
  if (entry.kind === 'message') return messageLines(entry.message, view);
  const style = TONES[entry.tone];
  return entry.lines.flatMap((text, index) => {
    const start = index === 0 ? `${clockTime(entry.at)} ${SIGNS[entry.tone]} ` : ' '.repeat(TIME_COLUMNS + 2);
    return wrap(drawable(text, view.emoji), view.columns - TIME_COLUMNS - 2).map((line, row) => [
      segment(row === 0 ? start : ' '.repeat(TIME_COLUMNS + 2), 'dim'),
      segment(line, style),
    ]);
  });
}

/** Whether a message speaks to somebody by `@` and the name, or to all. */
export function mentions(content: string, label: string): boolean {
  const text = content.toLowerCase();
  return ['all', 'everyone', label.toLowerCase()].some((name) => {
    for (let at = text.indexOf(`@${name}`); at !== -1; at = text.indexOf(`@${name}`, at + 1)) {
      const after = text.slice(at + 1 + name.length, at + 2 + name.length);
      if (!/[\p{L}\p{N}#_]/u.test(after) && !/[\p{L}\p{N}]/u.test(text.slice(at - 1, at))) return true;
    }
    return false;
  });
}

function messageLines(message: ChatMessage, view: MessageView): Line[] {
  const { columns, selfId, selfLabel, emoji } = view;
  const own = message.senderId === selfId;
  const mentioned = !own && mentions(message.content, selfLabel);
  const show = (text: string) => drawable(harmless(text), emoji);
  const head: Segment[] = [
    segment(`${clockTime(message.createdAt)}${mentioned ? '»' : ' '}`, mentioned ? 'mention' : 'dim'),
    ...(columns >= NUMBERS_FROM ? [segment(`#${message.sequence} `, 'dim')] : []),
    segment(own ? 'you' : show(message.senderName), own ? 'own-name' : 'name'),
  ];
  if (message.recipientId !== null) {
    const to = message.recipientId === selfId ? 'you' : show(message.recipientName ?? '?');
    head.push(segment(` → ${to} (private)`, 'private'));
  }
  head.push(segment(': ', 'dim'));
  const style: Style | undefined = mentioned
    ? 'mention'
    : message.recipientId === null
      ? undefined
      : 'private';
  return [
    ...quoteLines(message, view),
    ...bodyLines(head, harmlessLines(message.content), style, view),
    ...fileLines(message, view),
  ];
}

function bodyLines(
  head: readonly Segment[],
  lines: readonly string[],
  style: Style | undefined,
  { columns, emoji }: MessageView,
): Line[] {
  const text = lines.map((line) => drawable(line, emoji));
  while (text.length > 1 && text.at(-1) === '') text.pop();
  const width = head.reduce((sum, part) => sum + columnsOf(part.text), 0);
  const room = columns - width;
  const indent = segment(' '.repeat(INDENT));
  const below = (line: string): Line => [indent, segment(line, style)];
  const [first = '', ...others] = text;
  // A message that begins with a long name, or has several lines, stands below it in one piece.
  if (room < columns * (1 - NAME_PART) && columnsOf(first) > room)
    return [head, ...text.flatMap((line) => wrap(line, columns - INDENT).map(below))];
  const [begin = '', ...rest] = wrapAfter(first, room, columns - INDENT);
  return [
    [...head, segment(begin, style)],
    ...rest.map(below),
    ...others.flatMap((line) => wrap(line, columns - INDENT).map(below)),
  ];
}

/** Wraps a line whose beginning has less room than what follows. */
function wrapAfter(text: string, room: number, columns: number): string[] {
  const [first = ''] = wrap(text, room);
  const rest = text.slice(first.length).trimStart();
  return rest === '' ? [first] : [first, ...wrap(rest, columns)];
}

/** What is answered, in one line above the answer. */
function quoteLines({ replyTo }: ChatMessage, { columns, emoji, message }: MessageView): Line[] {
  if (replyTo === null) return [];
  const original = message(replyTo);
  const quote =
    original === undefined
      ? 'an earlier message'
      : `${harmless(original.senderName)}: ${harmlessLines(original.content).join(' ')}`;
  const [line = ''] = wrap(drawable(quote, emoji), columns - INDENT - 3);
  return [[segment(`${' '.repeat(INDENT)}┌ ${line}`, 'dim')]];
}

function fileLines({ file, sequence }: ChatMessage, { columns, emoji }: MessageView): Line[] {
  if (file === null) return [];
  const about = `[file] ${drawable(harmless(file.name), emoji)} (${size(file.size)}), /save #${sequence}`;
  return wrap(about, columns - INDENT).map((line) => [segment(' '.repeat(INDENT)), segment(line, 'good')]);
}
