import { readFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { buildProgram } from '../../src/cli/program.ts';
import { CONFIG_KEYS } from '../../src/cli/settings.ts';

const page = readFileSync(new URL('../../docs/CLI.md', import.meta.url), 'utf8');
const documented = new Map(
  Array.from(
    page.matchAll(/^## meet ([a-z]+)\n(?:(?!```)[\s\S])*```text\n((?:(?!```)[\s\S])*)```/gm),
    ([, name, help]) => [name!, help!],
  ),
);

const never = new AbortController().signal;
const program = buildProgram(
  {
    env: {},
    stdout: new PassThrough(),
    stderr: new PassThrough(),
    stdin: new PassThrough(),
    interrupted: never,
    unread: never,
    startedAt: 0,
  },
  '0.0.0',
);
const commandNamed = (name: string) => program.commands.find((command) => command.name() === name)!;

/** Words with their order; the width of a terminal is none of the document's business. */
const words = (text: string): string => text.replace(/\s+/g, ' ').trim();

describe('docs/CLI.md', () => {
  test('has all commands and no others', () => {
    const names = program.commands.map((command) => command.name());
    expect([...documented.keys()].sort()).toEqual(names.sort());
  });

  test.each([...documented])('says of meet %s what its help says', (name, text) => {
    // What is added after the options is said in the document's own words.
    expect(words(text)).toContain(words(commandNamed(name).helpInformation()));
  });

  test('lists the config keys', () => {
    for (const key of Object.keys(CONFIG_KEYS)) expect(page).toContain(`\`${key}\``);
  });
});
