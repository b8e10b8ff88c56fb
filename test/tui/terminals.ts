/** `meet chat` in real terminals. */
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { mediaCacheDir } from '../support/media-cache.ts';
import { Terminal } from '../support/terminal.ts';

const BIN = fileURLToPath(new URL('../../bin/meet.js', import.meta.url));

export interface ChatTerminalOptions {
  readonly columns?: number;
  readonly lines?: number;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The folder that it runs in. */
  readonly cwd?: string;
}

/** Opens the meeting in a terminal of its own, which the end of the test closes. */
export async function openChat(
  url: string,
  name: string,
  { columns = 80, lines = 24, args = [], env = {}, cwd = '.' }: ChatTerminalOptions = {},
): Promise<Terminal> {
  const words = ['chat', url, '--name', name, ...args].map((word) => `'${word}'`).join(' ');
  const terminal = await Terminal.open(`'${process.execPath}' '${BIN}' ${words}`, {
    columns,
    lines,
    cwd,
    env: {
      MEET_CACHE: mediaCacheDir(),
      MEET_CONFIG: '/nonexistent/meet.json',
      NO_COLOR: '1',
      TZ: 'UTC',
      ...env,
    },
  });
  onTestFinished(() => terminal.close());
  return terminal;
}

/** Enters a line. */
export async function say(terminal: Terminal, line: string): Promise<void> {
  await terminal.type(line);
  await terminal.type('', 'Enter');
}

/** The screen without what differs from run to run: times, ids, levels and figures. */
export function stable(screen: string): string {
  return screen
    .replaceAll(/\b\d\d:\d\d(?=[ »])/g, 'hh:mm')
    .replaceAll(/\b[a-z]{3}-[a-z]{4}-[a-z]{3}\b/g, 'abc-defg-hij')
    .split('\n')
    .map((line) =>
      line
        .replace(/(│.* [-MCSHx]{4})(?: [▏▎▍▌▋▊▉█ ]{3})?(?: [▂▄▆×].*)?$/, '$1')
        .replace(/^ [\d:]+ {2}↓.*$/, ' [duration, rates, loss and round trip]')
        .trimEnd(),
    )
    .join('\n');
}
