/** Whom a command means. */
import { findLabel, type Lookup } from '../labels.ts';
import { type CommandContext, CommandError } from './types.ts';

/** Somebody in the meeting, or who waits. @throws CommandError */
export function person({ labels }: CommandContext, words: string | undefined): { id: string; label: string } {
  if (words === undefined || words.trim() === '') throw new CommandError('Whom? Give a name.');
  return found(findLabel(labels, words), words);
}

/** Somebody else in the meeting. @throws CommandError */
export function other(context: CommandContext, words: string | undefined): { id: string; label: string } {
  const meant = person(context, words);
  if (meant.id === context.client.self.id) throw new CommandError('That is you.');
  return meant;
}

/** Somebody who waits: who is named, or the only one. @throws CommandError */
export function guest(context: CommandContext, words: string | undefined): { id: string; label: string } {
  const waiting = new Map(
    [...context.client.participants.values()].flatMap(({ id, state }) =>
      state === 'waiting' ? [[id, context.labels.get(id) ?? id] as const] : [],
    ),
  );
  if (waiting.size === 0) throw new CommandError('Nobody waits to be let in.');
  if (words !== undefined && words.trim() !== '') return found(findLabel(waiting, words), words);
  const [first, second] = waiting;
  if (second !== undefined)
    throw new CommandError(`Whom? ${[...waiting.values()].join(', ')} wait; or "all".`);
  return { id: first![0], label: first![1] };
}

function found(lookup: Lookup, words: string): { id: string; label: string } {
  if (!('problem' in lookup)) return lookup;
  throw new CommandError(
    lookup.problem === 'unknown'
      ? `There is no "${words.trim()}" here; /who lists everybody.`
      : `"${words.trim()}" may be ${lookup.labels.join(', ')}.`,
  );
}
