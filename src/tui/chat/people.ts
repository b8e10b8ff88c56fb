/** The participants as the list shows them. */
import type { MediaSource, ParticipantInfo, Role } from '../../protocol/model.ts';
import type { Quality } from './quality.ts';

export interface Person {
  readonly id: string;
  readonly label: string;
  readonly self: boolean;
  readonly role: Role;
  readonly microphone: 'on' | 'muted' | 'none';
  readonly camera: boolean;
  readonly screen: boolean;
  /** Place in the order of raised hands, from 1; `undefined` while it is down. */
  readonly hand: number | undefined;
  /** 0 to 1. */
  readonly level: number;
  readonly speaking: boolean;
  /** `undefined` where nothing comes that could be judged. */
  readonly quality: Quality | undefined;
}

export interface PeopleInput {
  readonly selfId: string;
  readonly participants: Iterable<ParticipantInfo>;
  readonly labels: ReadonlyMap<string, string>;
  /** Ids, the first to raise it first. */
  readonly raisedHands: readonly string[];
  readonly speakers: readonly string[];
  readonly level: (id: string) => number;
  readonly qualities: ReadonlyMap<string, Quality>;
}

/** Those who are in the meeting: raised hands first, then hosts, then the others by name. */
export function peopleOf(input: PeopleInput): Person[] {
  const people: Person[] = [];
  for (const participant of input.participants) {
    const { state, recorder } = participant;
    if (state !== 'waiting' && state !== 'left' && recorder !== true)
      people.push(personOf(participant, input));
  }
  return people.sort(
    (a, b) => rank(a) - rank(b) || (a.hand ?? 0) - (b.hand ?? 0) || a.label.localeCompare(b.label),
  );
}

/** Those who wait to be let in, the first to come first. */
export function guestsOf(
  participants: Iterable<ParticipantInfo>,
  labels: ReadonlyMap<string, string>,
): { readonly id: string; readonly label: string }[] {
  return [...participants]
    .filter(({ state }) => state === 'waiting')
    .sort((a, b) => a.joinedAt - b.joinedAt)
    .map(({ id }) => ({ id, label: labels.get(id) ?? id }));
}

function personOf(participant: ParticipantInfo, input: PeopleInput): Person {
  const { id, role, state } = participant;
  const hand = input.raisedHands.indexOf(id);
  const sends = (source: MediaSource) =>
    participant.tracks.some((track) => track.source === source && !track.muted);
  const microphone = participant.tracks.find(({ source }) => source === 'microphone');
  const heard = microphone !== undefined && !microphone.muted;
  return {
    id,
    label: input.labels.get(id) ?? id,
    self: id === input.selfId,
    role,
    microphone: microphone === undefined ? 'none' : microphone.muted ? 'muted' : 'on',
    camera: sends('camera'),
    screen: sends('screen'),
    hand: hand === -1 ? undefined : hand + 1,
    level: heard ? input.level(id) : 0,
    speaking: heard && input.speakers.includes(id),
    quality: state === 'reconnecting' ? 0 : input.qualities.get(id),
  };
}

function rank({ hand, role }: Person): number {
  if (hand !== undefined) return 0;
  return role === 'participant' ? 2 : 1;
}
