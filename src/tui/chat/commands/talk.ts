/** Commands of those who talk: messages, files, hands, reactions. */
import { join, relative, resolve } from 'node:path';
import { harmless } from '../../../client/chat/text.ts';
import type { ChatMessage } from '../../../protocol/chat.ts';
import { size } from '../format.ts';
import { type Command, type CommandContext, CommandError } from './types.ts';
import { other, person } from './who.ts';
import { restFrom, splitWords } from './words.ts';

/** Names of reactions that are hard to type. */
export const REACTIONS: Readonly<Record<string, string>> = {
  thumbsup: '👍',
  thumbsdown: '👎',
  heart: '❤️',
  clap: '👏',
  laugh: '😂',
  wow: '😮',
  sad: '😢',
  tada: '🎉',
  thinking: '🤔',
  wave: '👋',
};

const PRIVATE_OPTION = '--to';

export const TALK_COMMANDS: readonly Command[] = [
  {
    name: 'msg',
    usage: 'NAME TEXT',
    about: 'send a message that only NAME sees',
    takes: ['person'],
    async run(context, text) {
      const words = splitWords(text);
      const { id } = other(context, words.words[0]);
      const content = restFrom(text, words, 1);
      if (content === '') throw new CommandError('What is the message? /msg NAME TEXT');
      await context.client.chat.send(content, { to: id });
    },
  },
  {
    name: 'reply',
    usage: '[NAME|#N] TEXT',
    about: 'answer the last message, the last of NAME, or message N; what was private stays so',
    takes: ['person'],
    async run(context, text) {
      const words = splitWords(text);
      const named = words.words.length > 1 ? referred(context, words.words[0]!) : undefined;
      const selfId = context.client.self.id;
      const message = named ?? context.timeline.lastMessage(({ senderId }) => senderId !== selfId);
      if (message === undefined) throw new CommandError('There is no message to answer.');
      const content = restFrom(text, words, named === undefined ? 0 : 1);
      if (content === '') throw new CommandError('What is the answer? /reply TEXT');
      const partner = message.senderId === selfId ? message.recipientId : message.senderId;
      await context.client.chat.send(content, {
        replyTo: message.id,
        ...(message.recipientId === null || partner === null ? {} : { to: partner }),
      });
    },
  },
  {
    name: 'file',
    usage: `[${PRIVATE_OPTION} NAME] PATH [TEXT]`,
    about: 'send a file',
    takes: ['file'],
    async run(context, text) {
      let words = splitWords(text);
      let line = text;
      let to: string | undefined;
      if (words.words[0] === PRIVATE_OPTION) {
        to = other(context, words.words[1]).id;
        line = restFrom(text, words, 2);
        words = splitWords(line);
      }
      const [path] = words.words;
      if (path === undefined) throw new CommandError('Which file? /file PATH');
      await sendFile(context, path, restFrom(line, words, 1), to);
    },
  },
  {
    name: 'save',
    usage: '[#N|NAME] [FOLDER]',
    about: 'save the last file, that of message N, or the file called NAME',
    takes: ['saved', 'folder'],
    async run(context, text) {
      const { words } = splitWords(text);
      const named = words[0] === undefined ? undefined : fileCalled(context, words[0]);
      const message = named ?? context.timeline.lastMessage(({ file }) => file !== null);
      if (!message?.file) throw new CommandError('Nobody has sent a file.');
      if (named === undefined && words.length > 1) throw new CommandError(`There is no file "${words[0]}".`);
      const folder = expand(context, (named === undefined ? words[0] : words[1]) ?? '.');
      const name = harmless(message.file.name);
      const path = await context.client.files.download(message.file.id, folder, {
        onProgress: ({ done, total }) => context.progress(`Saving ${name}: ${percent(done, total)}`),
      });
      context.notice(`Saved ${harmless(shortPath(path))} (${size(message.file.size)}).`, 'good');
    },
  },
  {
    name: 'hand',
    usage: '',
    about: 'raise your hand, or lower it',
    takes: [],
    async run({ client }) {
      await client.setHand(client.self.hand === null);
    },
  },
  {
    name: 'react',
    usage: 'EMOJI',
    about: `show everybody an emoji, such as 👍 or ${Object.keys(REACTIONS).slice(0, 3).join(', ')}`,
    takes: ['emoji'],
    async run({ client }, text) {
      const wanted = text.trim();
      if (wanted === '') throw new CommandError('Which emoji? /react 👍');
      await client.react(REACTIONS[wanted.replaceAll(':', '').toLowerCase()] ?? wanted);
    },
  },
];

async function sendFile(
  context: CommandContext,
  path: string,
  caption: string,
  to: string | undefined,
): Promise<void> {
  const file = expand(context, path);
  await context.client.files.send(file, caption, {
    onProgress: ({ done, total }) =>
      context.progress(
        done < total ? `Sending ${harmless(path)}: ${percent(done, total)}` : `Checking ${harmless(path)} …`,
      ),
    ...(to === undefined ? {} : { to }),
  });
}

/** The message with that number, or the last one of whoever is called so; `undefined` where it is neither. */
function referred(context: CommandContext, word: string): ChatMessage | undefined {
  const numbered = /^#(\d+)$/.exec(word);
  if (numbered) {
    const message = context.timeline.numbered(Number(numbered[1]));
    if (message === undefined) throw new CommandError(`There is no message ${word}.`);
    return message;
  }
  try {
    const { id } = person(context, word);
    return context.timeline.lastMessage(({ senderId }) => senderId === id);
  } catch {
    // It is the first word of the answer.
    return undefined;
  }
}

function fileCalled({ timeline }: CommandContext, word: string): ChatMessage | undefined {
  const numbered = /^#(\d+)$/.exec(word);
  if (numbered) {
    const message = timeline.numbered(Number(numbered[1]));
    if (!message?.file) throw new CommandError(`Message ${word} has no file.`);
    return message;
  }
  return timeline.lastMessage(({ file }) => file !== null && harmless(file.name) === word);
}

function expand({ home }: CommandContext, path: string): string {
  if (home !== undefined && (path === '~' || path.startsWith('~/'))) return join(home, path.slice(1));
  return resolve(path);
}

/** From the current folder, where it is in there. */
function shortPath(path: string): string {
  const short = relative('.', path);
  return short.startsWith('..') ? path : short;
}

function percent(done: number, total: number): string {
  return total === 0 ? '100 %' : `${Math.floor((100 * done) / total)} %`;
}
