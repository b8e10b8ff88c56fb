import { Argument, Option } from 'commander';
import type { ActionName } from '../../protocol/actions.ts';
import type { MediaSource } from '../../protocol/model.ts';
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

/** Actions that are done to one participant. */
export const ON_ONE = [
  'admit',
  'deny',
  'remove',
  'mute',
  'ask-unmute',
  'promote',
  'demote',
  'hand-over',
] as const;
const ON_ALL = [
  'admit-all',
  'lock',
  'unlock',
  'unblock',
  'mute-all',
  'unmuting',
  'screen-sharing',
  'lower-hand',
  'reclaim',
  'end',
] as const satisfies readonly ActionName[];
export type HostAction = (typeof ON_ONE)[number] | (typeof ON_ALL)[number];

export function registerHost({ command, action }: Registry): void {
  const host = command('host', 'run a meeting: let people in, mute, lock, remove, end')
    .argument('<meeting>', "the meeting's URL, or its id on the server")
    .addArgument(new Argument('<action>', 'what to do').choices([...ON_ONE, ...ON_ALL]))
    .argument('[participant]', 'whom to do it to, by name or id; for unmuting and screen-sharing on or off')
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
