import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { ERRORS, EXIT } from '../../src/protocol/errors.ts';

const page = readFileSync(new URL('../../docs/ERRORS.md', import.meta.url), 'utf8');

const rows = (pattern: RegExp) => [...page.matchAll(pattern)].map((match) => match.slice(1));

test('docs/ERRORS.md lists every code with its status, exit code and meaning, and no other', () => {
  const documented = rows(/^\| `([a-z-]+)` \| (\d+) \| (\d+) \| [^|]+ \| (.+) \|$/gm);
  const registered = Object.entries(ERRORS).map(([code, { status, exit, about }]) => [
    code,
    String(status),
    String(exit),
    about,
  ]);
  expect(documented).toEqual(registered);
});

test('docs/ERRORS.md lists the exit codes', () => {
  const documented = rows(/^\| (\d+) \| /gm).map(([exit]) => Number(exit));
  expect(documented).toEqual(Object.values(EXIT));
});

test('every code is given by something', () => {
  const sources = fileURLToPath(new URL('../../src', import.meta.url));
  const code = (readdirSync(sources, { recursive: true }) as string[])
    .filter((file) => /\.tsx?$/.test(file) && file !== join('protocol', 'errors.ts'))
    .map((file) => readFileSync(join(sources, file), 'utf8'))
    .join('\n');
  expect(Object.keys(ERRORS).filter((name) => !code.includes(`'${name}'`))).toEqual([]);
});
