import { listParticipants, performAction, resolveMeeting, type TokenOptions } from '../../client/api.ts';
import type { Action } from '../../protocol/actions.ts';
import { EXIT, MeetError } from '../../protocol/errors.ts';
import type { HostOptions } from '../commands/host.ts';
import type { Deps } from './access.ts';
import { findParticipant } from './find.ts';
import { type HostAction, ON_ONE } from './host-actions.ts';

/** Does what hosts do; nobody sees the one who does it. */
export async function runHost(
  { context, output }: Deps,
  meeting: string,
  action: HostAction,
  word: string | undefined,
  options: HostOptions,
): Promise<number> {
  const address = resolveMeeting(meeting, options.server);
  const { hostToken: token } = options;
  if (token === undefined) {
    throw new MeetError('bad-config', 'This takes a host token.', {
      hint: 'Give the one that meet create printed with --host-token or in MEET_HOST_TOKEN.',
    });
  }
  const access: TokenOptions = { token, signal: context.interrupted };
  const idOf = async (name: string) =>
    findParticipant((await listParticipants(address, access)).participants, name).id;
  const done = await toAction(action, word, options, idOf);
  await performAction(address, done, access);
  output.outcome(done, 'Done.');
  return EXIT.done;
}

async function toAction(
  action: HostAction,
  word: string | undefined,
  { block, source, exceptHosts }: HostOptions,
  idOf: (name: string) => Promise<string>,
): Promise<Action> {
  if (action === 'unmuting' || action === 'screen-sharing' || action === 'several-screens') {
    if (word !== 'on' && word !== 'off') throw usage(`${action} takes on or off.`);
    return { action, allowed: word === 'on' };
  }
  if (ON_ONE.some((name) => name === action) && word === undefined) {
    throw usage(`${action} takes the name or id of a participant.`);
  }
  // Who was removed is in no list any more.
  const participantId = word && (action === 'unblock' ? word : await idOf(word));
  return {
    action,
    ...(participantId === undefined ? {} : { participantId }),
    ...(action === 'remove' && block ? { block: true } : {}),
    ...((action === 'mute' || action === 'ask-unmute') && source ? { source } : {}),
    ...(action === 'mute-all' && exceptHosts ? { exceptHosts: true } : {}),
  } as Action;
}

const usage = (message: string) =>
  new MeetError('bad-config', message, { hint: 'meet host --help lists what there is.' });
