import { Argument, Option } from 'commander';
import type { MediaSource } from '../../protocol/model.ts';
import { type HostAction, ON_ALL, ON_ONE } from '../chat/host-actions.ts';
import type { OutputOptions } from '../context.ts';
import { hostTokenOption } from '../meeting-options.ts';
import type { Registry } from '../program.ts';
import { serverOption } from '../server-option.ts';

export interface HostOptions extends OutputOptions {
  readonly server: string;
  readonly hostToken?: string;
  readonly block?: boolean;
  readonly source?: MediaSource;
  readonly exceptHosts?: boolean;
}

export function registerHost({ command, action }: Registry): void {
  const host = command('host', 'run a meeting: let people in, mute, lock, remove, end')
    .argument('<meeting>', "the meeting's URL, or its id on the server")
    .addArgument(new Argument('<action>', 'what to do').choices([...ON_ONE, ...ON_ALL]))
    .argument(
      '[participant]',
      'whom to do it to, by name or id; for unmuting, screen-sharing and several-screens on or off',
    )
    .addOption(serverOption())
    .addOption(hostTokenOption())
    .addOption(new Option('--block', 'remove for good'))
    .addOption(
      new Option('--source <source>', 'what to mute or to ask for').choices([
        'microphone',
        'camera',
        'screen',
        'screen-audio',
      ]),
    )
    .addOption(new Option('--except-hosts', 'leave hosts and co-hosts unmuted'));
  action<HostOptions>(host, async (deps, options, [meeting = '', name, word]) => {
    const { runHost } = await import('../chat/host.ts');
    return await runHost(deps, meeting, name as HostAction, word, options);
  });
}
