import { MeetError } from '../../protocol/errors.ts';
import type { ParticipantInfo } from '../../protocol/model.ts';

/**
 * The participant of an id, or of a name in any case.
 *
 * @throws MeetError `not-found` for nobody, `bad-config` for more than one
 */
export function findParticipant(participants: Iterable<ParticipantInfo>, wanted: string): ParticipantInfo {
  const present = [...participants].filter(({ state }) => state !== 'left');
  const folded = (text: string) => text.normalize('NFC').toLowerCase();
  const found =
    present.filter(({ id }) => id === wanted).at(0) ??
    onlyOne(
      present.filter(({ name }) => folded(name) === folded(wanted)),
      wanted,
    );
  if (found !== undefined) return found;
  throw new MeetError('not-found', `Nobody in the meeting is called "${wanted}".`, {
    hint: 'meet participants lists who is there.',
  });
}

function onlyOne(found: readonly ParticipantInfo[], wanted: string): ParticipantInfo | undefined {
  if (found.length <= 1) return found[0];
  throw new MeetError('bad-config', `${found.length} people are called "${wanted}".`, {
    hint: `Give the id instead: ${found.map(({ id }) => id).join(', ')}.`,
  });
}
