import { expect, test } from 'vitest';
import { Reception } from '../../src/client/reception.ts';

const nothing = { speakers: false, audioOnly: false, videos: false, slots: [] };

test('says what an update changed', () => {
  const reception = new Reception();
  expect(reception.apply({ version: 1 })).toEqual(nothing);
  expect(reception.apply({ version: 2, speakers: ['a', 'b'] })).toEqual({ ...nothing, speakers: true });
  expect(reception.apply({ version: 3, speakers: ['a', 'b'] })).toEqual(nothing);
  expect(reception.apply({ version: 4, audioOnly: true, estimate: 90_000 })).toEqual({
    ...nothing,
    audioOnly: true,
  });
  expect(reception).toMatchObject({ speakers: ['a', 'b'], audioOnly: true, estimate: 90_000 });
});

test('tells another occupant of a slot from the same one again', () => {
  const reception = new Reception();
  const slot = { slot: 1, participantId: 'a', trackId: 'a-mic' };
  expect(reception.apply({ version: 1, audioSlots: [slot] }).slots).toEqual([slot]);
  expect(reception.apply({ version: 2, audioSlots: [slot] }).slots).toEqual([]);
  const empty = { slot: 1, participantId: null, trackId: null };
  expect(reception.apply({ version: 3, audioSlots: [empty] }).slots).toEqual([empty]);
  expect(reception.slots).toEqual([empty]);
});

test('keeps the last word on each video that is published', () => {
  const reception = new Reception();
  const video = { trackId: 'v', layer: 2, temporalLayer: 1, reason: 'asked' as const };
  reception.apply({ version: 1, videos: [video, { ...video, trackId: 'w' }] });
  reception.apply({ version: 2, videos: [{ ...video, layer: 0, reason: 'bandwidth' }] });
  expect(reception.videos.get('v')).toMatchObject({ layer: 0, reason: 'bandwidth' });
  reception.retain(new Set(['v']));
  expect([...reception.videos.keys()]).toEqual(['v']);
});

test('what belonged to a server or worker that is gone is forgotten', () => {
  const reception = new Reception();
  reception.apply({ version: 1, audioOnly: true, estimate: 1, videos: [] });
  expect(reception.apply({ version: 2, mediaReset: { reason: 'worker died' } })).toEqual({
    ...nothing,
    audioOnly: false,
  });
  expect(reception).toMatchObject({ audioOnly: false, estimate: undefined });
});
