import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sanitizeFileName, TrackFile, trackFileName } from '../../../src/media/save/index.ts';

test.each([
  { name: 'Ann', expected: 'Ann' },
  { name: 'Zoë Ångström 李雷', expected: 'Zoë Ångström 李雷' },
  { name: '../../etc/passwd', expected: '_.._etc_passwd' },
  { name: '..', expected: 'participant' },
  { name: '.hidden.', expected: 'hidden' },
  { name: '-rf *', expected: 'rf _' },
  { name: 'C:\\Users\\x', expected: 'C__Users_x' },
  { name: 'a\u0000b\nc\u001b[31m', expected: 'abc_31m' },
  { name: 'evil\u202Egnp.exe', expected: 'evilgnp.exe' },
  { name: '\u200b\u2028', expected: 'participant' },
  { name: '   ', expected: 'participant' },
  { name: 'half \ud83d surrogate', expected: 'half surrogate' },
  { name: '👩‍💻', expected: '👩💻' },
])('$name is $expected in a file name', ({ name, expected }) => {
  expect(sanitizeFileName(name)).toBe(expected);
});

test('any name gives a file name that stays in its folder and fits', () => {
  const text = fc.string({ unit: 'binary', maxLength: 400 });
  fc.assert(
    fc.property(text, text, (participantName, trackId) => {
      const name = trackFileName({ participantName, source: 'camera', trackId }, 'webm', 12);
      expect(basename(name)).toBe(name);
      expect(name).not.toMatch(/[/\\\p{Cc}]/u);
      expect(name).not.toMatch(/^[.-]/);
      expect(Buffer.byteLength(name)).toBeLessThan(160);
    }),
    { numRuns: 500 },
  );
});

test('a name that is taken gets a number, and nothing there is written over', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'file-name-'));
  try {
    await writeFile(join(directory, 'Ann-camera-t1.webm'), 'mine');
    await symlink('/dev/null', join(directory, 'Ann-camera-t1-2.webm'));
    const options = {
      directory,
      participantName: 'Ann',
      source: 'camera',
      trackId: 't1',
      codec: 'vp8',
    } as const;
    const files = await Promise.all([TrackFile.open(options), TrackFile.open(options)]);
    expect(files.map((file) => basename(file.path)).sort()).toEqual([
      'Ann-camera-t1-3.webm',
      'Ann-camera-t1-4.webm',
    ]);
    await Promise.all(files.map((file) => file.close()));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
