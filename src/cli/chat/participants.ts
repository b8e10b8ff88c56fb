import { listParticipants } from '../../client/api.ts';
import { harmless } from '../../client/chat/text.ts';
import { EXIT } from '../../protocol/errors.ts';
import type { ParticipantInfo } from '../../protocol/model.ts';
import type { MeetingOptions } from '../meeting-options.ts';
import { type Deps, lookingToken } from './access.ts';

/** Prints who is in the meeting, and for hosts who waits. */
export async function runParticipants(deps: Deps, meeting: string, options: MeetingOptions): Promise<number> {
  const { address, access } = await lookingToken(deps, meeting, options);
  const { participants } = await listParticipants(address, access);
  const lines = participants.map(describe);
  deps.output.result({ participants }, lines.length > 0 ? lines.join('\n') : 'Nobody is in the meeting.');
  return EXIT.done;
}

function describe({ name, role, state, hand, tracks }: ParticipantInfo): string {
  const sends = tracks.map(({ source, muted }) => (muted ? `${source} (muted)` : source));
  return [
    harmless(name),
    ...(role === 'participant' ? [] : [role]),
    ...(state === 'joined' ? [] : [state]),
    ...(hand === null ? [] : ['hand raised']),
    ...sends,
  ].join(', ');
}
