/** How the commands without media get at a meeting. */
import { type MeetingAddress, requestJoin, resolveMeeting, type TokenOptions } from '../../client/api.ts';
import { joinMeeting } from '../../client/join.ts';
import type { MeetingClient } from '../../client/meeting.ts';
import { MeetError } from '../../protocol/errors.ts';
import type { CliContext } from '../context.ts';
import type { MeetingOptions } from '../meeting-options.ts';
import type { Output } from '../output.ts';

export interface Deps {
  readonly context: CliContext;
  readonly output: Output;
}

/** A token for looking without being seen: the one given, else that of a participant who does not connect. */
export async function lookingToken(
  { context }: Deps,
  meeting: string,
  options: MeetingOptions,
): Promise<{ address: MeetingAddress; access: TokenOptions }> {
  const address = resolveMeeting(meeting, options.server);
  const signal = context.interrupted;
  if (options.hostToken !== undefined) return { address, access: { token: options.hostToken, signal } };
  const { token } = await requestJoin(address, credentials(options), { signal });
  return { address, access: { token, signal } };
}

const credentials = ({ name, password }: MeetingOptions) => ({
  displayName: name,
  ...(password === undefined ? {} : { password }),
});

/** Joins without media, and waits where a host has to let one in. */
export async function joinQuietly(
  { context, output }: Deps,
  meeting: string,
  { server, name, password, hostToken }: MeetingOptions,
): Promise<MeetingClient> {
  const client = await joinMeeting({
    meeting,
    server,
    displayName: name,
    receive: 'none',
    signal: AbortSignal.any([context.interrupted, context.unread]),
    ...(password === undefined ? {} : { password }),
    ...(hostToken === undefined ? {} : { hostToken }),
  });
  if (!client.waiting) return client;
  output.note('Waiting for a host to let you in …');
  await new Promise<void>((resolve, reject) => {
    client.on('participant', () => {
      if (!client.waiting) resolve();
    });
    client.once('left', ({ error, message }) => {
      reject(error ?? new MeetError('connection-failed', message ?? 'The meeting was left before.'));
    });
  });
  return client;
}
