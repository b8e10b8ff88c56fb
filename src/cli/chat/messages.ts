import { listMessages } from '../../client/api.ts';
import { harmless, harmlessLines } from '../../client/chat/text.ts';
import type { ChatMessage, MessagesQuery, MessagesReply } from '../../protocol/chat.ts';
import { EXIT } from '../../protocol/errors.ts';
import type { MessagesOptions } from '../commands/messages.ts';
import type { Output } from '../output.ts';
import { type Deps, joinQuietly, lookingToken } from './access.ts';

/** As much as a server gives at once. */
const PAGE = 200;

/** Prints the messages, and with `--follow` those that come. */
export async function runMessages(deps: Deps, meeting: string, options: MessagesOptions): Promise<number> {
  const { context, output } = deps;
  if (options.follow) return await follow(deps, meeting, options);
  const { address, access } = await lookingToken(deps, meeting, options);
  await printPages(output, options, (query) => listMessages(address, query, access));
  return context.interrupted.aborted ? EXIT.interrupted : EXIT.done;
}

async function follow(deps: Deps, meeting: string, options: MessagesOptions): Promise<number> {
  const { context, output } = deps;
  const client = await joinQuietly(deps, meeting, options);
  const left = new Promise<void>((resolve) => client.once('left', () => resolve()));
  // What comes while history is read is printed after it, and once.
  let waiting: ChatMessage[] | undefined = [];
  client.on('message', (message) => (waiting === undefined ? print(output, message) : waiting.push(message)));
  const last = await printPages(output, options, (query) => client.chat.history(query));
  for (const message of waiting) if (message.sequence > last) print(output, message);
  waiting = undefined;
  await left;
  return context.interrupted.aborted ? EXIT.interrupted : EXIT.done;
}

/** Gives the number of the last message that was printed. */
async function printPages(
  output: Output,
  { after = 0 }: MessagesOptions,
  page: (query: MessagesQuery) => Promise<MessagesReply>,
): Promise<number> {
  let last = after;
  for (;;) {
    const { messages, more } = await page({ after: last, limit: PAGE });
    for (const message of messages) print(output, message);
    last = messages.at(-1)?.sequence ?? last;
    if (!more) return last;
  }
}

function print(output: Output, message: ChatMessage): void {
  if (output.json) {
    output.event('message', { ...message });
    return;
  }
  const { createdAt, senderName, recipientName, content, file } = message;
  const time = new Date(createdAt).toISOString().replace('T', ' ').slice(0, 19);
  const to = recipientName === null ? '' : ` → ${harmless(recipientName)} (private)`;
  const attached = file === null ? [] : [`[${harmless(file.name)}, ${file.size} bytes]`];
  const [first = '', ...rest] = [...(content === '' ? [] : harmlessLines(content)), ...attached];
  output.result(
    undefined,
    [`${time} ${harmless(senderName)}${to}: ${first}`, ...rest.map((line) => `  ${line}`)].join('\n'),
  );
}
