import { expect, test } from 'vitest';
import { Roster } from '../../src/client/roster.ts';
import type { ParticipantInfo } from '../../src/protocol/model.ts';

const participant = (id: string, state: ParticipantInfo['state'] = 'joined'): ParticipantInfo => ({
  id,
  name: id,
  role: 'participant',
  state,
  joinedAt: 1,
  hand: null,
  tracks: [],
});

test('an update says what came, changed and went', () => {
  const roster = new Roster();
  expect(
    roster.apply({ version: 1, full: true, participants: [participant('a'), participant('b')] }),
  ).toHaveLength(2);
  expect(roster.apply({ version: 2, participants: [participant('a')] })).toEqual([]);
  expect(roster.apply({ version: 3, participants: [participant('a', 'reconnecting')] })).toEqual([
    participant('a', 'reconnecting'),
  ]);
  expect(roster.apply({ version: 4, left: [{ id: 'b', reason: 'left' }] })).toEqual([
    participant('b', 'left'),
  ]);
  expect([...roster.participants.keys()]).toEqual(['a']);
});

test('whoever is missing from a full update has left', () => {
  const roster = new Roster();
  roster.apply({ version: 1, full: true, participants: [participant('a'), participant('b')] });
  expect(roster.apply({ version: 9, full: true, participants: [participant('a')] })).toEqual([
    participant('b', 'left'),
  ]);
});

test('somebody unknown who leaves is no news', () => {
  expect(new Roster().apply({ version: 1, left: [{ id: 'x', reason: 'left' }] })).toEqual([]);
});
