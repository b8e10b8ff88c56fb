/** Who is in the meeting, as a recording sees it: neither its own recorder nor any other is anybody. */
import type { MeetingClient } from '../../client/meeting.ts';
import type { MediaSource, ParticipantInfo } from '../../protocol/model.ts';

/** Those who are in the meeting, in the order in which they came. */
export function peopleOf(client: MeetingClient): ParticipantInfo[] {
  return [...client.participants.values()]
    .filter((participant) => isPerson(client, participant) && isHere(participant))
    .sort((a, b) => a.joinedAt - b.joinedAt || (a.id < b.id ? -1 : 1));
}

export function isPerson(client: MeetingClient, { id, recorder }: ParticipantInfo): boolean {
  return id !== client.self.id && recorder !== true;
}

function isHere({ state }: ParticipantInfo): boolean {
  return state === 'joined' || state === 'reconnecting';
}

/** Track of the participant that shows the source and is on; `undefined` where there is none. */
export function liveTrack({ tracks }: ParticipantInfo, source: MediaSource): string | undefined {
  return tracks.find((track) => track.source === source && !track.muted)?.id;
}

/** Whether nothing can be heard of the participant's microphone. */
export function isMuted(participant: ParticipantInfo): boolean {
  return liveTrack(participant, 'microphone') === undefined;
}
