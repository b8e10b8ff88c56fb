/** A real terminal, by tmux: what a person sees of a command and types into it. */
import { execFile, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Under continuous integration Ink draws only when all is over, as nobody watches; here a person does. */
function attendedEnv(): NodeJS.ProcessEnv {
  const automated = /^(CI|CONTINUOUS_INTEGRATION|CI_.*)$/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !automated.test(name)));
}

/** Why there can be none here, `undefined` when there can. */
export function noTerminal(): string | undefined {
  const missing = spawnSync('tmux', ['-V']).status !== 0;
  return missing ? 'the program "tmux" is missing (package tmux)' : undefined;
}

export class Terminal {
  readonly #socket: string;

  private constructor(socket: string) {
    this.#socket = socket;
  }

  /** Runs a shell command line in it. The terminal stays when that ends, with its exit code as the last line. */
  static async open(
    command: string,
    options: {
      columns?: number;
      lines?: number;
      env?: Readonly<Record<string, string>>;
      cwd?: string;
    } = {},
  ): Promise<Terminal> {
    const { columns = 80, lines = 24, env = {}, cwd = '.' } = options;
    const socket = `meet-${randomUUID()}`;
    const assigned = Object.entries(env).map(([name, value]) => `${name}='${value}'`);
    const line = `trap : INT; ${assigned.join(' ')} ${command}; echo "exit code $?"; exec cat`;
    const size = ['-x', String(columns), '-y', String(lines), '-c', cwd];
    // UTF-8 whatever the locale of the test is.
    const session = ['-u', '-L', socket, '-f', '/dev/null', 'new-session', '-d', ...size, 'sh', '-c', line];
    await run('tmux', session, { env: attendedEnv() });
    return new Terminal(socket);
  }

  /** What is on the screen, without empty lines at its end; with `escapes` also its colours. */
  async screen(options: { escapes?: boolean } = {}): Promise<string> {
    const args = ['capture-pane', '-p', ...(options.escapes ? ['-e'] : [])];
    return (await this.#tmux(...args)).trimEnd();
  }

  /** Waits until the screen shows it. */
  async shows(text: RegExp, timeoutMs = 20_000): Promise<string> {
    const until = performance.now() + timeoutMs;
    for (;;) {
      const screen = await this.screen();
      if (text.test(screen)) return screen;
      if (performance.now() > until) throw new Error(`The terminal does not show ${text}:\n${screen}`);
      await delay(50);
    }
  }

  /** Types text, then keys by their tmux names, such as `Enter` and `C-c`. */
  async type(text: string, ...keys: string[]): Promise<void> {
    if (text !== '') await this.#tmux('send-keys', '-l', text);
    if (keys.length > 0) await this.#tmux('send-keys', ...keys);
  }

  /** Gives it another size, as a person does with a window. */
  async resize(columns: number, lines: number): Promise<void> {
    await this.#tmux('resize-window', '-x', String(columns), '-y', String(lines));
  }

  /** Pastes text, between the marks of a bracketed paste where the program has asked for them. */
  async paste(text: string): Promise<void> {
    await this.#tmux('set-buffer', text);
    await this.#tmux('paste-buffer', '-p');
  }

  /** Appends everything that the program writes from now on to a file. */
  async record(path: string): Promise<void> {
    await this.#tmux('pipe-pane', `cat > '${path}'`);
  }

  async #tmux(...args: string[]): Promise<string> {
    return (await run('tmux', ['-u', '-L', this.#socket, ...args])).stdout;
  }

  /** Ends it with everything in it. */
  async close(): Promise<void> {
    await this.#tmux('kill-server').catch(() => {});
  }
}
