import { getMeeting, resolveMeeting } from '../../client/api.ts';
import { type CliContext, isConversation, type OutputOptions } from '../context.ts';
import { askPassword } from '../prompt.ts';

interface PasswordOptions extends OutputOptions {
  readonly server: string;
  readonly password?: string;
  readonly hostToken?: string;
}

/** The password given, else, where a person can be asked and the meeting has one, theirs. */
export async function passwordFor(
  context: CliContext,
  meeting: string,
  options: PasswordOptions,
): Promise<string | undefined> {
  if (options.password !== undefined || options.hostToken !== undefined || !isConversation(context, options))
    return options.password;
  const { settings } = await getMeeting(resolveMeeting(meeting, options.server), context.interrupted);
  if (!settings.hasPassword) return undefined;
  const password = await askPassword(context, 'Password of the meeting: ');
  context.interrupted.throwIfAborted();
  return password;
}
