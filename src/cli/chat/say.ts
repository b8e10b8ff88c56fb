import { createInterface } from 'node:readline';
import type { ChatMessage } from '../../protocol/chat.ts';
import { EXIT } from '../../protocol/errors.ts';
import type { SayOptions } from '../commands/say.ts';
import { type Deps, joinQuietly } from './access.ts';
import { findParticipant } from './find.ts';

/** Sends a text, a file, or each line of stdin; resolves with the exit code once all of it is stored. */
export async function runSay(
  deps: Deps,
  meeting: string,
  text: string | undefined,
  options: SayOptions,
): Promise<number> {
  const { context, output } = deps;
  const client = await joinQuietly(deps, meeting, options);
  try {
    const to = options.to && findParticipant(client.participants.values(), options.to).id;
    const how = to === undefined ? {} : { to };
    const report = (message: ChatMessage) => output.event('message', { ...message });
    if (options.file !== undefined) {
      report(await client.files.send(options.file, text ?? '', { ...how, signal: context.interrupted }));
    } else if (text !== undefined) {
      report(await client.chat.send(text, how));
    } else {
      const lines = createInterface({ input: context.stdin, signal: context.interrupted });
      // Sent as they come, so that a program that never ends can be heard, too.
      for await (const line of lines) if (line !== '') report(await client.chat.send(line, how));
    }
  } finally {
    await client.leave();
  }
  return context.interrupted.aborted ? EXIT.interrupted : EXIT.done;
}
