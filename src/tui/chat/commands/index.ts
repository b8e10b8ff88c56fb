/** All commands, and what becomes of a line that is entered. */
import { MeetError } from '../../../protocol/errors.ts';
import { HOST_COMMANDS } from './host.ts';
import { TALK_COMMANDS } from './talk.ts';
import { type Command, type CommandContext, CommandError } from './types.ts';
import { VIEW_COMMANDS } from './view.ts';

export { REACTIONS } from './talk.ts';
export * from './types.ts';

/** In the order in which help lists them. */
export const COMMANDS: readonly Command[] = [...TALK_COMMANDS, ...HOST_COMMANDS, ...VIEW_COMMANDS];

const COMMAND_LINE = /^\/([a-z]+)(?:\s+([\s\S]*))?$/i;

/**
 * Does what a line says: a command, or a message for all. `//` begins a message with a slash.
 *
 * @throws CommandError, MeetError
 */
export async function runLine(context: CommandContext, line: string): Promise<void> {
  const text = line.trim();
  if (text === '') return;
  if (!text.startsWith('/') || text.startsWith('//')) {
    await context.client.chat.send(text.startsWith('//') ? text.slice(1) : line.trimEnd());
    return;
  }
  const [, name = '', rest = ''] = COMMAND_LINE.exec(text) ?? [];
  const command = context.commands.find((one) => one.name === name.toLowerCase());
  if (command === undefined)
    throw new CommandError(`There is no command ${text.split(/\s/)[0]}; /help lists what there is.`);
  try {
    await command.run(context, rest.trim());
  } catch (error) {
    if (error instanceof MeetError && error.code === 'forbidden' && command.hosts)
      throw new CommandError(`Only hosts can /${command.name}.`);
    throw error;
  }
}

/** A failed line as sentences for the user. */
export function failureLines(error: unknown): string[] {
  if (error instanceof CommandError) return [error.message];
  const { message, hint } = MeetError.from(error);
  return hint === undefined ? [message] : [message, hint];
}
