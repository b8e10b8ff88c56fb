/** The completion scripts, in the shells that they are for. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { run } from '../support/meet-process.ts';

const exec = promisify(execFile);
const SHELLS = ['bash', 'zsh', 'fish'] as const;
const scripts = new Map<string, string>();

const has = (program: string) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'meet-completion-'));
  for (const shell of SHELLS) {
    const { code, stdout } = await run(['completion', shell]);
    expect(code).toBe(0);
    const script = join(folder, `meet.${shell}`);
    await writeFile(script, stdout);
    scripts.set(shell, script);
  }
});

/** What each shell offers for a line that is being typed. */
const COMPLETE: Record<(typeof SHELLS)[number], (script: string, line: string) => Promise<string[]>> = {
  bash: async (script, line) => {
    const words = line.split(' ');
    const { stdout } = await exec('bash', [
      '--norc',
      '-c',
      `source "$1"
       complete -p meet | grep -q -- '-F _meet' || exit 9
       COMP_WORDS=("\${@:2}"); COMP_CWORD=$(($# - 2)); COMPREPLY=()
       _meet
       printf '%s\\n' "\${COMPREPLY[@]}"`,
      'bash',
      script,
      ...words,
    ]);
    return stdout.split('\n').filter((word) => word !== '');
  },
  // Completion needs a line editor and so a terminal: zpty gives it, and what is offered goes to a file as well.
  zsh: async (script, line) => {
    const offered = `${script}.offered`;
    await writeFile(offered, '');
    await writeFile(
      `${script}.rc`,
      `PROMPT=
       autoload -Uz compinit; compinit -u -D
       source ${script}
       compadd() {
         if [[ \${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]]; then builtin compadd "$@"; return; fi
         local -a hits; builtin compadd -A hits "$@"
         print -rl -- $hits >> ${offered}
       }
       finish() { exit }
       comppostfuncs=(finish)
       bindkey '^I' complete-word
       print REA''DY
      `,
    );
    const typing = `
      zmodload zsh/zpty
      zpty shell zsh -f -i
      zpty -w shell "source $1"
      zpty -r shell seen '*READY*'
      zpty -w -n shell "$2"$'\t'
      while zpty -r shell seen; do :; done`;
    await exec('zsh', ['-f', '-c', typing, 'zsh', `${script}.rc`, line], { timeout: 10_000 });
    return (await readFile(offered, 'utf8')).split('\n').filter((word) => word !== '');
  },
  fish: async (script, line) => {
    const { stdout } = await exec('fish', [
      '--no-config',
      '-c',
      'source $argv[1]; complete -C $argv[2]',
      script,
      line,
    ]);
    return stdout.split('\n').flatMap((offer) => offer.split('\t')[0] || []);
  },
};

/** A line and some of what it has to offer. */
const LINES: [line: string, offers: string[], not: string[]][] = [
  ['meet ', ['serve', 'create', 'join', 'setup', 'doctor', 'config', 'completion'], ['--video']],
  ['meet jo', ['join'], ['serve']],
  ['meet --json jo', ['join'], ['serve']],
  ['meet --json join --receive ', ['all', 'audio', 'none'], []],
  ['meet join --', ['--video', '--test-pattern', '--receive', '--json', '--save'], ['--port']],
  ['meet join --receive ', ['all', 'audio', 'none'], []],
  ['meet serve --log-level ', ['debug', 'silent'], ['--port']],
  ['meet completion ', ['bash', 'zsh', 'fish'], []],
  ['meet config ', ['list', 'get', 'set', 'unset'], []],
];

describe.each(SHELLS)('%s', (shell) => {
  test.skipIf(!has(shell))('takes the script without complaint', async () => {
    const { stdout, stderr } = await exec(shell, ['-n', scripts.get(shell)!]);
    expect(stdout + stderr).toBe('');
  });

  test.skipIf(!has(shell)).each(LINES)('completes "%s"', async (line, offers, not) => {
    const words = await COMPLETE[shell](scripts.get(shell)!, line);
    expect(words).toEqual(expect.arrayContaining(offers));
    for (const word of not) expect(words).not.toContain(word);
  });
});
