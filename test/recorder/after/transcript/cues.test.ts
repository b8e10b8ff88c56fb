import { expect, test } from 'vitest';
import { flattenCues, orderCues, splitSegments } from '../../../../src/recorder/after/transcript/cues.ts';

const WORDS =
  'We have to decide today whether the budget of the next year is ready, and who writes the report.';

test('a long segment becomes cues that can be read, with times by its characters', () => {
  const text = `${WORDS} ${WORDS} ${WORDS}`;
  const cues = splitSegments([{ startMs: 10_000, endMs: 40_000, text }]);
  expect(cues.map((cue) => cue.text).join(' ')).toBe(text);
  expect(cues[0]!.startMs).toBe(10_000);
  expect(cues.at(-1)!.endMs).toBeCloseTo(40_000);
  cues.forEach((cue, index) => {
    expect(cue.text.length).toBeLessThanOrEqual(84);
    expect(cue.endMs - cue.startMs).toBeLessThanOrEqual(7_000);
    if (index > 0) expect(cue.startMs).toBeCloseTo(cues[index - 1]!.endMs);
  });
});

test('cues follow the times of words, and end at pauses', () => {
  const words = [
    { startMs: 0, endMs: 300, text: 'Yes,' },
    { startMs: 350, endMs: 600, text: 'please.' },
    { startMs: 3_000, endMs: 3_500, text: 'No.' },
  ];
  expect(splitSegments([{ startMs: 0, endMs: 9_000, text: 'Yes, please. No.', words }])).toEqual([
    { startMs: 0, endMs: 600, text: 'Yes, please.' },
    { startMs: 3_000, endMs: 3_500, text: 'No.' },
  ]);
});

test('scripts without spaces are split, too', () => {
  const text = '会議は月曜日の朝に始まりますので、全員が準備をしてください。'.repeat(6);
  const cues = splitSegments([{ startMs: 0, endMs: 30_000, text }]);
  expect(cues.length).toBeGreaterThan(3);
  expect(cues.map((cue) => cue.text).join('')).toBe(text);
});

test('nothing said makes no cue', () => {
  expect(splitSegments([{ startMs: 0, endMs: 9, text: ' \n ' }])).toEqual([]);
});

test('cues are ordered and stay within the recording', () => {
  const cue = (startMs: number, endMs: number) => ({ startMs, endMs, text: 'x' });
  expect(orderCues([cue(9_900, 12_000), cue(-100, 50), cue(3_000, 3_010)], 10_000)).toEqual([
    cue(0, 500),
    cue(3_000, 3_500),
    cue(9_500, 10_000),
  ]);
});

test('who talk at once are in one cue of a track that shows one at a time', () => {
  const cues = [
    { startMs: 0, endMs: 4_000, speaker: 'Ada', text: 'one' },
    { startMs: 2_000, endMs: 6_000, speaker: 'Ben', text: 'two' },
    { startMs: 7_000, endMs: 8_000, text: 'three' },
  ];
  expect(flattenCues(cues)).toEqual([
    { startMs: 0, endMs: 2_000, text: 'Ada: one' },
    { startMs: 2_000, endMs: 4_000, text: 'Ada: one\nBen: two' },
    { startMs: 4_000, endMs: 6_000, text: 'Ben: two' },
    { startMs: 7_000, endMs: 8_000, text: 'three' },
  ]);
});
