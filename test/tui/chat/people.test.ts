import { describe, expect, test } from 'vitest';
import { findLabel, labelsOf, quoted } from '../../../src/tui/chat/labels.ts';
import { Levels } from '../../../src/tui/chat/levels.ts';
import { listNames } from '../../../src/tui/chat/notices.ts';
import { guestsOf, peopleOf } from '../../../src/tui/chat/people.ts';
import { QualityMeter } from '../../../src/tui/chat/quality.ts';
import { lineColumns, lineText } from '../../../src/tui/layout/line.ts';
import { peopleLines } from '../../../src/tui/layout/people.ts';
import { NO_EMOJI_SEQUENCES } from '../../../src/tui/text/emoji.ts';
import { participant, trackOf } from '../messages.ts';

describe('labels', () => {
  test('tell namesakes apart in the order of joining, and hide what a terminal would act on', () => {
    const labels = labelsOf([
      participant('Bob', { id: '2', joinedAt: 2 }),
      participant('Bob', { id: '1', joinedAt: 1 }),
      participant('bob', { id: '3', joinedAt: 3 }),
      participant('A\u001b[31mda\u202e', { id: '4', joinedAt: 4 }),
    ]);
    expect(Object.fromEntries(labels)).toEqual({
      1: 'Bob',
      2: 'Bob#2',
      3: 'bob#3',
      4: 'A\ufffd[31mda\ufffd',
    });
  });

  test('are found whole, by how they begin, and by id', () => {
    const labels = new Map([
      ['1', 'Ada'],
      ['2', 'Adam'],
      ['3', 'Bob Builder'],
    ]);
    expect(findLabel(labels, 'ada')).toEqual({ id: '1', label: 'Ada' });
    expect(findLabel(labels, '@Ada')).toEqual({ id: '1', label: 'Ada' });
    expect(findLabel(labels, 'bob')).toEqual({ id: '3', label: 'Bob Builder' });
    expect(findLabel(labels, '2')).toEqual({ id: '2', label: 'Adam' });
    expect(findLabel(labels, 'ad')).toEqual({ problem: 'ambiguous', labels: ['Ada', 'Adam'] });
    expect(findLabel(labels, 'Eve')).toEqual({ problem: 'unknown', labels: [] });
    expect(findLabel(labels, '')).toEqual({ problem: 'unknown', labels: [] });
    expect([quoted('Ada'), quoted('Bob Builder')]).toEqual(['Ada', '"Bob Builder"']);
  });

  test('many names are one sentence', () => {
    const names = ['Ada', 'Bob', 'Eve', 'Joe', 'Kim'];
    expect([1, 2, 4, 5].map((count) => listNames(names.slice(0, count)))).toEqual([
      'Ada',
      'Ada and Bob',
      'Ada, Bob, Eve and Joe',
      'Ada, Bob, Eve and 2 others',
    ]);
  });
});

test('levels rise with the voice and fade with its silence', () => {
  const levels = new Levels();
  levels.heard('ada', 20, 0);
  levels.heard('bob', 127, 0);
  expect(levels.at('ada', 0)).toBeCloseTo(40 / 48);
  expect(levels.at('ada', 125)).toBeCloseTo(20 / 48);
  expect(levels.at('bob', 0)).toBe(0);
  expect(levels.active(100)).toBe(true);
  expect(levels.active(300)).toBe(false);
  levels.heard('ada', 0, 400);
  expect(levels.at('ada', 400)).toBe(1);
  levels.forget('ada');
  expect(levels.at('ada', 400)).toBe(0);
});

test('quality falls with loss and comes back', () => {
  const meter = new QualityMeter();
  const track = (packets: number, lost: number) => ({
    ...{ trackId: 't', participantId: 'ada', kind: 'audio', source: 'microphone', codec: 'opus' },
    ...{ packets, lost, bytes: 0, retransmitted: 0, duplicates: 0, nacksSent: 0, plisSent: 0, jitterMs: 5 },
    ...{ frames: 0, keyframes: 0, framesDropped: 0, fps: 0 },
  });
  const judge = (packets: number, lost: number) => {
    const received = [track(packets, lost)] as Parameters<QualityMeter['update']>[0]['received'];
    meter.update({ sent: [], received, rttMs: 10, estimate: undefined, uplinkEstimate: undefined }, 'me');
    return meter.qualities.get('ada');
  };
  expect(judge(50, 0)).toBe(3);
  expect(judge(95, 5)).toBe(2);
  expect(judge(110, 40)).toBe(1);
  expect([1, 2, 3, 4, 5, 6, 7, 8].map((second) => judge(110 + 50 * second, 40)).at(-1)).toBe(3);
  expect(meter.qualities.get('me')).toBe(3);
  meter.update({ sent: [], received: [], rttMs: 900, estimate: undefined, uplinkEstimate: undefined }, 'me');
  expect([...meter.qualities]).toEqual([['me', 1]]);
});

describe('the list', () => {
  const participants = [
    participant('Zoe', { role: 'host', tracks: [trackOf('microphone'), trackOf('camera')] }),
    participant('Ada', { tracks: [trackOf('microphone', true), trackOf('screen')] }),
    participant('日本太郎', { id: 'taro', hand: 5 }),
    participant('Bob', { state: 'reconnecting', hand: 3 }),
    participant('Guest', { state: 'waiting' }),
  ];
  const labels = labelsOf(participants);
  const people = peopleOf({
    selfId: 'ada',
    participants,
    labels,
    raisedHands: ['bob', 'taro'],
    speakers: ['zoe', 'ada'],
    level: () => 0.5,
    qualities: new Map([['zoe', 2 as const]]),
  });

  test('has raised hands first, in their order, then hosts, then names; who waits is not in it', () => {
    expect(people.map(({ label }) => label)).toEqual(['Bob', '日本太郎', 'Zoe', 'Ada']);
    expect(guestsOf(participants, labels)).toEqual([{ id: 'guest', label: 'Guest' }]);
    expect(people[3]).toMatchObject({
      self: true,
      microphone: 'muted',
      screen: true,
      level: 0,
      speaking: false,
    });
    expect(people[2]).toMatchObject({
      microphone: 'on',
      camera: true,
      level: 0.5,
      speaking: true,
      quality: 2,
    });
  });

  const view = { columns: 30, rows: 6, offset: 0, emoji: NO_EMOJI_SEQUENCES };

  test('shows what each one has, every line as wide as the list', () => {
    const lines = peopleLines(people, view);
    expect(lines.map(lineText)).toEqual([
      'People (4)        MCSH vol net',
      ' Bob              ---H     ×  ',
      ' 日本太郎         ---H        ',
      '★Zoe              MC-- █▌  ▂▄ ',
      ' Ada (you)        x-S-        ',
    ]);
    expect(new Set(lines.map(lineColumns))).toEqual(new Set([30]));
  });

  test('of 500 names shows as many as fit and says how many more there are', () => {
    const many = peopleOf({
      ...{ selfId: 'x', raisedHands: [], speakers: [], level: () => 0, qualities: new Map() },
      participants: Array.from({ length: 500 }, (_, i) =>
        participant(`Person ${String(i).padStart(3, '0')} 👨‍👩‍👧`),
      ),
      labels: new Map(
        Array.from(
          { length: 500 },
          (_, i) =>
            [
              `person ${String(i).padStart(3, '0')} 👨‍👩‍👧`,
              `P${String(i).padStart(3, '0')} 👨‍👩‍👧 of a very long name`,
            ] as const,
        ),
      ),
    });
    const lines = peopleLines(many, { ...view, rows: 10 });
    expect(lines).toHaveLength(10);
    expect(lineText(lines[0]!)).toMatch(/^People \(500\)/);
    expect(lineText(lines.at(-1)!).trim()).toBe('492 more');
    expect(new Set(lines.map(lineColumns))).toEqual(new Set([30]));
    const further = peopleLines(many, { ...view, rows: 10, offset: 400 });
    expect(lineText(further[1]!)).toMatch(/^ P400/);
    expect(lineText(further.at(-1)!).trim()).toBe('400 above, 92 more');
    const end = peopleLines(many, { ...view, rows: 10, offset: 10_000 });
    expect(lineText(end.at(-1)!)).toMatch(/491 above/);
  });
});
