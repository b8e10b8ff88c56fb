import { Option } from 'commander';
import { addMeetingOptions, type MeetingOptions } from '../meeting-options.ts';
import type { Registry } from '../program.ts';

export interface SayOptions extends MeetingOptions {
  readonly to?: string;
  readonly file?: string;
}

export function registerSay({ command, action }: Registry): void {
  const say = addMeetingOptions(command('say', 'send a chat message, or each line of stdin'))
    .argument('[text]', 'the message; without it each line of stdin is one')
    .addOption(new Option('--to <name>', 'send it to this participant alone, by name or id'))
    .addOption(new Option('--file <path>', 'send this file, with the text if there is one'));
  action<SayOptions>(say, async (deps, options, [meeting = '', text]) => {
    const { runSay } = await import('../chat/say.ts');
    return await runSay(deps, meeting, text, options);
  });
}
