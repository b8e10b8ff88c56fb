import { resolveMeeting } from '../../client/api.ts';
import { joinMeeting } from '../../client/join.ts';
import type { MeetingClient } from '../../client/meeting.ts';
import type { LeftInfo } from '../../client/types.ts';
import type { ChatSession } from '../../tui/chat/session.ts';
import type { ChatCommandOptions } from '../commands/chat.ts';
import type { CliContext } from '../context.ts';
import { openMicrophone } from '../devices.ts';
import { conclude } from '../join/conclude.ts';
import { passwordFor } from '../join/password.ts';
import type { Output } from '../output.ts';
import type { Front } from './front.ts';

interface Deps {
  readonly context: CliContext;
  readonly output: Output;
}

/** Joins, and lets a person take part until they leave or the meeting ends; resolves with the exit code. */
export async function runChat(
  { context, output }: Deps,
  meeting: string,
  options: ChatCommandOptions,
): Promise<number> {
  resolveMeeting(meeting, options.server);
  const password = await passwordFor(context, meeting, options);
  const openFront = await frontFor({ context, output }, options);
  const source = await openMicrophone(options);
  const client = await joinMeeting({
    meeting,
    server: options.server,
    displayName: options.name,
    // Pictures are asked for by whoever draws them.
    view: { layout: 'none' },
    reconnectTimeoutMs: options.reconnectTimeout,
    signal: AbortSignal.any([context.interrupted, context.unread]),
    ...(password === undefined ? {} : { password }),
    ...(options.hostToken === undefined ? {} : { hostToken: options.hostToken }),
    ...(options.relay ? { iceTransportPolicy: 'relay' as const } : {}),
    ...(source === undefined ? {} : { source }),
  });
  const left = new Promise<LeftInfo>((resolve) => client.once('left', resolve));
  const front = openFront(client);
  const sound = options.audio ? await openSound(client, front.session) : undefined;
  const how = await Promise.race([front.left, left.then(() => undefined)]);
  // The terminal is given back before the server has said goodbye.
  await front.close();
  if (how !== undefined) await client.leave();
  const end = await left;
  await sound?.close();
  const interrupted = how === 'interrupt' || context.interrupted.aborted;
  return conclude({ output, interrupted }, end);
}

/** The screen where a person sits at a terminal, else lines. */
async function frontFor(
  { context, output }: Deps,
  options: ChatCommandOptions,
): Promise<(client: MeetingClient) => Front> {
  if (options.plain || !output.interactive || context.stdin.isTTY !== true) {
    const { openPlain } = await import('./front-plain.ts');
    return (client) => openPlain({ context, output, client });
  }
  const { prepareScreen } = await import('./front-screen.ts');
  return await prepareScreen(context, options);
}

/** A machine without sound takes part all the same. */
async function openSound(client: MeetingClient, session: ChatSession) {
  const { MeetingSound } = await import('../../tui/sound.ts');
  try {
    return await MeetingSound.open(client, ({ message }) => session.notice(message, 'bad'));
  } catch (error) {
    session.notice(error instanceof Error ? error.message : String(error), 'bad');
    return undefined;
  }
}
