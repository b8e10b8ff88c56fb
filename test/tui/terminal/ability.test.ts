import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { askTerminal } from '../../../src/tui/terminal/ability.ts';
import { NO_EMOJI_SEQUENCES } from '../../../src/tui/text/emoji.ts';

/** A terminal that answers so when it is asked, and what it is left with. */
async function terminal(answer: string, env: Record<string, string> = { TERM: 'xterm-256color' }) {
  const stdin = new PassThrough();
  const stdout = new PassThrough();
  const modes: boolean[] = [];
  let asked = '';
  stdout.on('data', (data: Buffer) => {
    if (asked === '') setImmediate(() => stdin.write(answer));
    asked += data.toString();
  });
  const raw = Object.assign(stdin, { setRawMode: (on: boolean) => modes.push(on) });
  const ability = await askTerminal({ stdin: raw, stdout }, env);
  return { ability, modes, asked, typed: (stdin.read() as Buffer | null)?.toString() ?? '' };
}

const WIDTHS = '\u001b[1;3R'.repeat(5);
const VT = '\u001b[?62;22c';

describe('what a terminal says it can do', () => {
  test('kitty: graphics and all emoji', async () => {
    const { ability, modes, asked } = await terminal(`${WIDTHS}\u001b_Gi=1;OK\u001b\\\u001b[6;20;10t${VT}`, {
      TERM: 'xterm-kitty',
    });
    expect(ability).toEqual({
      graphics: 'kitty',
      colors: 'true-color',
      cell: { width: 10, height: 20 },
      emoji: { joined: true, modifiers: true, presentation: true, flags: true, keycaps: true },
    });
    expect(modes).toEqual([true, false]);
    // Nothing of the samples is left on the line.
    expect(asked.endsWith('\r\u001b[2K')).toBe(true);
  });

  test('sixel, where it also says how large its cells are', async () => {
    const sixel = '\u001b[?62;4;22c';
    expect((await terminal(`\u001b[6;18;9t${sixel}`)).ability).toMatchObject({
      graphics: 'sixel',
      colors: '256',
    });
    expect((await terminal(sixel)).ability.graphics).toBe('cells');
  });

  test('nothing but its attributes: the least that all have', async () => {
    const { ability } = await terminal(VT);
    expect(ability).toEqual({ graphics: 'cells', colors: '256', cell: undefined, emoji: NO_EMOJI_SEQUENCES });
  });

  test('emoji by the columns that each took', async () => {
    const widths = [7, 5, 2, 3, 3].map((column) => `\u001b[1;${column}R`).join('');
    const { ability } = await terminal(`${widths}${VT}`);
    expect(ability.emoji).toEqual({ ...NO_EMOJI_SEQUENCES, flags: true, keycaps: true });
  });

  test('one that wants no colour has no graphics either', async () => {
    const { ability } = await terminal(`\u001b_Gi=1;OK\u001b\\${VT}`, { TERM: 'xterm-kitty', NO_COLOR: '1' });
    expect(ability).toMatchObject({ graphics: 'cells', colors: 'none' });
  });

  test('24-bit colour by COLORTERM', async () => {
    const { ability } = await terminal(VT, { TERM: 'screen-256color', COLORTERM: 'truecolor' });
    expect(ability.colors).toBe('true-color');
  });
});

test('what is typed meanwhile is there to be read', async () => {
  expect((await terminal(`he${WIDTHS}llo${VT}`)).typed).toBe('hello');
});

test('one that does not answer holds nobody up', async () => {
  const began = performance.now();
  const { ability, typed } = await terminal('x');
  expect(ability.graphics).toBe('cells');
  expect(typed).toBe('x');
  expect(performance.now() - began).toBeLessThan(10_000);
});
