import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { copyFile, mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { buildProgram } from '../../src/cli/program.ts';
import { CONFIG_KEYS } from '../../src/cli/settings.ts';
import { SINGLE_FIGURES } from '../../src/load/measure/summary.ts';
import { DURATIONS } from '../../src/load/measure/tally.ts';
import { BOT_FIGURES } from '../../src/load/scenario/checks.ts';
import { readScenario } from '../../src/load/scenario/read.ts';
import { resolveScenario } from '../../src/load/scenario/resolve.ts';
import { CLIPS } from '../../src/media/clips.ts';
import { mediaCacheDir } from '../support/media-cache.ts';

const page = readFileSync(new URL('../../docs/CLI.md', import.meta.url), 'utf8');
const documented = new Map(
  Array.from(
    page.matchAll(/^## meet ([a-z-]+)\n(?:(?!```)[\s\S])*```text\n((?:(?!```)[\s\S])*)```/gm),
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

const documentedInGroups = Array.from(
  page.matchAll(/^### meet ([a-z-]+ [a-z-]+)\n(?:(?!```)[\s\S])*```text\n((?:(?!```)[\s\S])*)```/gm),
  ([, name, help]): [string, string] => [name!, help!],
);

describe('docs/CLI.md', () => {
  test('has all commands and no others', () => {
    const visible = program.createHelp().visibleCommands(program);
    const names = program.commands.filter((command) => visible.includes(command)).map((one) => one.name());
    expect([...documented.keys()].sort()).toEqual(names.sort());
  });

  test.each([...documented])('says of meet %s what its help says', (name, text) => {
    // What is added after the options is said in the document's own words.
    expect(words(text)).toContain(words(commandNamed(name).helpInformation()));
  });

  test('has all commands of the groups and no others', () => {
    const names = program.commands.flatMap((group) =>
      group.commands.map((command) => `${group.name()} ${command.name()}`),
    );
    expect(documentedInGroups.map(([name]) => name).sort()).toEqual(names.sort());
  });

  test.each(documentedInGroups)('says of meet %s what its help says', (name, text) => {
    const [group = '', command] = name.split(' ');
    const found = commandNamed(group).commands.find((one) => one.name() === command);
    expect(words(text)).toContain(words(found!.helpInformation()));
  });

  test('lists the config keys', () => {
    for (const key of Object.keys(CONFIG_KEYS)) expect(page).toContain(`\`${key}\``);
  });

  test('names all figures that thresholds and checks may ask about', () => {
    for (const name of [...Object.keys(SINGLE_FIGURES), ...DURATIONS, ...Object.keys(BOT_FIGURES)])
      expect(page).toContain(`\`${name}\``);
  });

  test('has a scenario that can be run', async () => {
    const [example, ...others] = Array.from(
      page.matchAll(/^```yaml\n([\s\S]*?)^```$/gm),
      ([, text]) => text!,
    );
    expect(others).toEqual([]);
    const file = join(await mkdtemp(join(tmpdir(), 'meet-scenario-')), 'example.yaml');
    await writeFile(file, example!);
    const scenario = resolveScenario(await readScenario(file));
    expect(scenario.phases.map(({ name, bots }) => [name, bots])).toEqual([
      ['arrive', 200],
      ['meet', 200],
      ['come-and-go', 200],
    ]);
    expect(scenario.thresholds).toHaveLength(7);
    expect(scenario.checks).toHaveLength(2);
  });

  test('has a script that runs', async () => {
    const [script, ...others] = Array.from(page.matchAll(/^```sh\n([\s\S]*?)^```$/gm), ([, code]) => code!);
    expect(others).toEqual([]);
    const folder = await mkdtemp(join(tmpdir(), 'meet-script-'));
    await copyFile(CLIPS[0], join(folder, 'talk.mp4'));
    const bin = fileURLToPath(new URL('../../bin/meet.js', import.meta.url));
    const meet = `#!/bin/sh\nexec '${process.execPath}' '${bin}' "$@"\n`;
    await writeFile(join(folder, 'meet'), meet, { mode: 0o755 });
    const shell = spawn('bash', ['-eu', '-c', script!], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        PATH: `${folder}${delimiter}${process.env.PATH}`,
        MEET_CACHE: mediaCacheDir(),
        MEET_CONFIG: join(folder, 'config.json'),
      },
    });
    let said = '';
    for (const pipe of [shell.stdout, shell.stderr]) pipe.on('data', (data) => (said += String(data)));
    const [code] = await once(shell, 'close');
    expect({ code, said }).toMatchObject({ code: 0, said: expect.stringContaining('refused with 3') });
    expect(said).toContain('"event":"first-media"');
    expect((await readdir(join(folder, 'received'))).filter((name) => name.startsWith('Ada-'))).toHaveLength(
      2,
    );
  }, 90_000);
});
