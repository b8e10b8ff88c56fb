import { Option } from 'commander';
import { addMeetingOptions, type MeetingOptions } from '../meeting-options.ts';
import { parseCount } from '../parse.ts';
import type { Registry } from '../program.ts';

export interface MessagesOptions extends MeetingOptions {
  readonly follow?: boolean;
  readonly after?: number;
}

export function registerMessages({ command, action }: Registry): void {
  const messages = addMeetingOptions(command('messages', 'print the chat of a meeting'))
    .addOption(new Option('--follow', 'stay in the meeting and print what comes'))
    .addOption(
      new Option('--after <number>', 'only what came after this message').argParser(
        parseCount(0, Number.MAX_SAFE_INTEGER),
      ),
    );
  action<MessagesOptions>(messages, async (deps, options, [meeting = '']) => {
    const { runMessages } = await import('../chat/messages.ts');
    return await runMessages(deps, meeting, options);
  });
}
