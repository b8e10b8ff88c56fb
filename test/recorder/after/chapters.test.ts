import { expect, test } from 'vitest';
import { type Chapter, chaptersOf } from '../../../src/recorder/after/chapters.ts';
import type { RecordingEvent } from '../../../src/recorder/types.ts';
import { joins, shares, speaks } from './events.ts';
import { STARTED_AT } from './recording-fixture.ts';

const timeline = { startedAt: STARTED_AT, pauses: [], title: 'Budget' };
const people = [joins('a', 'Ada', 0), joins('b', 'Ben', 0), joins('c', 'Cleo', 0)];

function chapters(events: readonly RecordingEvent[], seconds: number, over: object = {}): string[] {
  const made = chaptersOf([...people, ...events], { ...timeline, ...over }, { durationMs: seconds * 1_000 });
  return made.map(({ startMs, endMs, title }: Chapter) => `${startMs / 1_000}-${endMs / 1_000} ${title}`);
}

test('a chapter for each who speaks long enough', () => {
  expect(chapters([speaks(5, 'a'), speaks(60, 'b'), speaks(120, 'a')], 200)).toEqual([
    '0-60 Ada speaking',
    '60-120 Ben speaking',
    '120-200 Ada speaking',
  ]);
});

test('a silence does not end a chapter, and a second speaker in the list begins none', () => {
  expect(chapters([speaks(0, 'a'), speaks(40), speaks(60, 'a', 'b'), speaks(80, 'b', 'a')], 200)).toEqual([
    '0-80 Ada speaking',
    '80-200 Ben speaking',
  ]);
});

test('a remark of another is a part of the chapter that it interrupts', () => {
  expect(chapters([speaks(0, 'a'), speaks(50, 'b'), speaks(55, 'a')], 120)).toEqual(['0-120 Ada speaking']);
});

test('a conversation is named by both', () => {
  const turns = Array.from({ length: 12 }, (_, index) => speaks(index * 5, index % 2 === 0 ? 'a' : 'b'));
  expect(chapters(turns, 60)).toEqual(['0-60 Ada and Ben speaking']);
});

test('a shared screen is a chapter, whoever speaks, and goes on behind a short interruption', () => {
  const events = [
    ...[speaks(0, 'a'), shares(60, 'b', true), speaks(100, 'b'), speaks(140, 'c')],
    ...[shares(150, 'b', false), shares(155, 'b', true), shares(200, 'b', false), speaks(201, 'a')],
  ];
  expect(chapters(events, 260)).toEqual([
    '0-60 Ada speaking',
    '60-200 Ben shares the screen',
    '200-260 Ada speaking',
  ]);
});

test('a screen ends with whoever shares it', () => {
  const left = { ...joins('b', 'Ben', 100), state: 'left' };
  expect(chapters([speaks(0, 'a'), shares(40, 'b', true), left], 160)).toEqual([
    '0-40 Ada speaking',
    '40-100 Ben shares the screen',
    '100-160 Ada speaking',
  ]);
});

test('times are those of the output, without the pauses', () => {
  const pauses = [{ from: STARTED_AT + 30_000, to: STARTED_AT + 90_000, reason: 'paused' as const }];
  expect(chapters([speaks(0, 'a'), speaks(130, 'b')], 120, { pauses })).toEqual([
    '0-70 Ada speaking',
    '70-120 Ben speaking',
  ]);
});

test('the meeting gives its name where nobody spoke', () => {
  expect(chapters([], 100)).toEqual(['0-100 Budget']);
  expect(chapters([], 100, { title: null })).toEqual(['0-100 Start']);
  expect(chapters([], 0)).toEqual([]);
});

test('whatever happens, chapters lie end to end, and none of several is too short', () => {
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  for (let round = 0; round < 50; round += 1) {
    let at = 0;
    const events = Array.from({ length: random(60) }, () => {
      at += random(40);
      const id = 'abc'[random(3)]!;
      return random(4) === 0 ? shares(at, id, random(2) === 0) : speaks(at, id);
    });
    const durationMs = (at + 1 + random(60)) * 1_000;
    const made = chaptersOf([...people, ...events], timeline, { durationMs });
    expect(made[0]?.startMs).toBe(0);
    expect(made.at(-1)?.endMs).toBe(durationMs);
    made.forEach((chapter, index) => {
      if (index > 0) expect(chapter.startMs).toBe(made[index - 1]!.endMs);
      if (made.length > 1) expect(chapter.endMs - chapter.startMs).toBeGreaterThanOrEqual(30_000);
    });
  }
});
