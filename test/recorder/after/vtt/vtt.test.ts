import { expect, test } from 'vitest';
import { parseTimedText } from '../../../../src/recorder/after/vtt/parse.ts';
import { writeSrt } from '../../../../src/recorder/after/vtt/srt.ts';
import { timestamp } from '../../../../src/recorder/after/vtt/timestamp.ts';
import { parseTranscript } from '../../../../src/recorder/after/vtt/transcript.ts';
import { writeVtt } from '../../../../src/recorder/after/vtt/write.ts';

test('a transcript is read back as it was written, whatever names and words are', () => {
  const cues = [
    { startMs: 0, endMs: 999, speaker: 'Ada', text: 'Hello.' },
    {
      startMs: 3_599_999,
      endMs: 360_000_000,
      speaker: 'Ben <b> & "Co" -->',
      text: '1 < 2 && 3 > 2 --> &lt;',
    },
    { startMs: 360_000_001, endMs: 360_000_500, text: 'no name' },
  ];
  const text = writeVtt(cues);
  expect(text).toMatch(/^WEBVTT\n\n00:00:00\.000 --> 00:00:00\.999\n<v Ada>Hello\.\n\n/);
  expect(text).toContain('100:00:00.001 --> 100:00:00.500\nno name');
  expect(parseTranscript(text)).toEqual(cues);
});

test('line ends in names and words do not end a cue', () => {
  const text = writeVtt([
    { startMs: 0, endMs: 1, speaker: 'A\n\nda', text: 'one\r\n\r\n00:00:00.000 --> 00:00:09.000' },
  ]);
  expect(parseTranscript(text)).toEqual([
    { startMs: 0, endMs: 1, speaker: 'A da', text: 'one 00:00:00.000 --> 00:00:09.000' },
  ]);
});

test.each([
  [
    'WebVTT',
    'WEBVTT - x\n\nNOTE hm\n\nid\n00:01.000 --> 00:02.500 align:start\n<v Ada><i>Hello</i> &amp;\nyou\n\n00:03.000 --> 00:04.000\nbye\n',
  ],
  [
    'SRT',
    '1\r\n00:00:01,000 --> 00:00:02,500\r\nHello &amp;\r\nyou\r\n\r\n2\r\n00:00:03,000 --> 00:00:04,000\r\nbye\r\n',
  ],
  [
    'whisper.cpp',
    'loading\n[00:00:01.000 --> 00:00:02.500]   Hello &amp; you\n[00:00:03.000 --> 00:00:04.000]   bye\n',
  ],
])('%s of others is read', (_, text) => {
  expect(parseTimedText(text)).toEqual([
    { startMs: 1_000, endMs: 2_500, text: 'Hello & you' },
    { startMs: 3_000, endMs: 4_000, text: 'bye' },
  ]);
});

test('what has no times has no cues', () => {
  expect(parseTimedText('hello\n\nyou --> me')).toEqual([]);
});

test('SRT has its commas, and no markup', () => {
  expect(writeSrt([{ startMs: 61_001, endMs: 62_000, text: 'Ada: {\\an8} <b>\nBen: no' }])).toBe(
    '1\n00:01:01,001 --> 00:01:02,000\nAda: (\\an8) (b)\nBen: no\n',
  );
  expect(timestamp(-5)).toBe('00:00:00.000');
});
