import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Timeline } from '../../../src/tui/chat/timeline.ts';
import { chatMessage } from '../messages.ts';

const contents = (timeline: Timeline) =>
  timeline.entries.map((entry) => (entry.kind === 'message' ? entry.message.sequence : entry.lines[0]));

describe('the timeline', () => {
  test('what is new comes after what was, what was before comes before', () => {
    const timeline = new Timeline();
    timeline.notice('You are in.');
    timeline.add([chatMessage(3), chatMessage(4)], { older: true });
    timeline.add([chatMessage(5)]);
    timeline.notice('Bob is here.');
    timeline.add([chatMessage(6)]);
    timeline.add([chatMessage(1), chatMessage(2)], { older: true });
    expect(contents(timeline)).toEqual([1, 2, 3, 4, 'You are in.', 5, 'Bob is here.', 6]);
    expect(timeline.first).toBe(1);
  });

  test('a message that comes again is not shown twice', () => {
    const timeline = new Timeline();
    expect(timeline.add([chatMessage(1), chatMessage(2)])).toHaveLength(2);
    expect(timeline.add([chatMessage(2), chatMessage(3)])).toHaveLength(1);
    expect(contents(timeline)).toEqual([1, 2, 3]);
  });

  test('finds by id, by number, and the last that fits', () => {
    const timeline = new Timeline();
    timeline.add([chatMessage(1, { senderId: 'bob' }), chatMessage(2), chatMessage(3)]);
    expect(timeline.numbered(2)?.sequence).toBe(2);
    expect(timeline.message(chatMessage(3).id)?.sequence).toBe(3);
    expect(timeline.lastMessage(({ senderId }) => senderId === 'bob')?.sequence).toBe(1);
    expect(timeline.numbered(9)).toBeUndefined();
  });

  test('keeps the last five thousand', () => {
    const timeline = new Timeline();
    for (let i = 1; i <= 5_100; i += 1) timeline.add([chatMessage(i)]);
    expect(timeline.entries).toHaveLength(5_000);
    expect(timeline.first).toBe(101);
    expect(timeline.message(chatMessage(5).id)).toBeUndefined();
  });
});

test('in whatever order messages come, they stand in the order of their numbers, each once', () => {
  const numbers = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 80 });
  fc.assert(
    fc.property(numbers, fc.array(fc.boolean()), (order, notices) => {
      const timeline = new Timeline();
      order.forEach((sequence, index) => {
        timeline.add([chatMessage(sequence)], { older: index % 3 === 0 });
        if (notices[index]) timeline.notice('-');
      });
      const shown = contents(timeline).filter((entry) => typeof entry === 'number');
      expect(shown).toEqual([...new Set(order)].sort((a, b) => a - b));
    }),
  );
});
