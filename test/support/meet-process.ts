/** The `meet` command as a process of its own, with its NDJSON events to wait for. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { mediaCacheDir } from './media-cache.ts';

const BIN = fileURLToPath(new URL('../../bin/meet.js', import.meta.url));

export interface MeetEvent {
  readonly event?: string;
  readonly at?: number;
  readonly [field: string]: unknown;
}

export interface MeetProcessOptions {
  /** Words before the command, such as `ip netns exec NAME`. */
  readonly prefix?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** What it reads from stdin; nothing unless given. */
  readonly input?: string | Buffer;
}

/** Every process that a command starts has this in its environment; one for each test file. */
const MARK = randomUUID();

const running = new Set<MeetProcess>();

export class MeetProcess extends EventEmitter<{ event: [event: MeetEvent] }> {
  readonly child: ChildProcess;
  readonly events: MeetEvent[] = [];
  /** What was not JSON on stdout. */
  readonly lines: string[] = [];
  stdout = '';
  stderr = '';
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;

  constructor(args: readonly string[], { prefix = [], env = {}, cwd, input }: MeetProcessOptions = {}) {
    super();
    const [program = process.execPath, ...rest] = [...prefix, process.execPath, BIN, ...args];
    this.child = spawn(program, rest, {
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      ...(cwd === undefined ? {} : { cwd }),
      env: {
        ...process.env,
        NO_COLOR: '1',
        MEET_CACHE: mediaCacheDir(),
        MEET_CONFIG: '/nonexistent/meet.json',
        MEET_TEST_ID: MARK,
        ...env,
      },
    });
    this.child.stdin?.end(input);
    running.add(this);
    this.exited = new Promise((resolve) => {
      this.child.once('close', (code, signal) => {
        running.delete(this);
        resolve({ code, signal });
      });
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    createInterface({ input: this.child.stdout! }).on('line', (line) => this.#onLine(line));
  }

  #onLine(line: string): void {
    let event: MeetEvent;
    try {
      event = JSON.parse(line) as MeetEvent;
    } catch {
      this.lines.push(line);
      return;
    }
    this.events.push(event);
    this.emit('event', event);
  }

  /** What a command with `--json` said on stderr when it failed. */
  get error(): { code: string; message: string; hint?: string } | undefined {
    const line = this.stderr.trim().split('\n').at(-1) ?? '';
    try {
      return (JSON.parse(line) as { error?: { code: string; message: string; hint?: string } }).error;
    } catch {
      return undefined;
    }
  }

  all(name: string): MeetEvent[] {
    return this.events.filter((event) => event.event === name);
  }

  /** The first event of that name, past or to come, that fits; fails with the command's stderr when it ends first. */
  async waitFor(
    name: string,
    fits: (event: MeetEvent) => boolean = () => true,
    timeoutMs = 20_000,
  ): Promise<MeetEvent> {
    const known = this.events.find((event) => event.event === name && fits(event));
    if (known) return known;
    return await this.next(name, fits, timeoutMs);
  }

  /** The next event of that name that fits, from now on. */
  async next(
    name: string,
    fits: (event: MeetEvent) => boolean = () => true,
    timeoutMs = 20_000,
  ): Promise<MeetEvent> {
    const { promise, resolve, reject } = Promise.withResolvers<MeetEvent>();
    // Several events can come in one piece of output: nothing may be awaited between them.
    const listener = (event: MeetEvent) => {
      if (event.event === name && fits(event)) resolve(event);
    };
    const timer = setTimeout(() => {
      const seen = this.events.map((event) => event.event).join(' ');
      reject(new Error(`No "${name}" in ${timeoutMs} ms; seen: ${seen}; ${this.stderr}`));
    }, timeoutMs);
    this.on('event', listener);
    void this.exited.then(({ code }) =>
      reject(new Error(`meet ended with ${code} before "${name}": ${this.stderr}`)),
    );
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.off('event', listener);
    }
  }

  /** Asks it to end and waits; kills it when it does not. */
  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<number | null> {
    this.child.kill(signal);
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 10_000);
    const { code } = await this.exited;
    clearTimeout(timer);
    return code;
  }
}

export function meet(args: readonly string[], options?: MeetProcessOptions): MeetProcess {
  return new MeetProcess(args, options);
}

/** Runs a command to its end. */
export async function run(
  args: readonly string[],
  options?: MeetProcessOptions,
): Promise<MeetProcess & { readonly code: number | null }> {
  const command = meet(args, options);
  const { code } = await command.exited;
  return Object.assign(command, { code });
}

/** Ends whatever a test left running. */
export async function stopAll(): Promise<void> {
  await Promise.all([...running].map((one) => one.stop('SIGKILL')));
}

/** `meet serve` on a free loopback port, listening; with its URL. */
export async function serve(
  dataDir: string,
  args: readonly string[] = [],
  options?: MeetProcessOptions,
): Promise<{ server: MeetProcess; url: string }> {
  const server = meet(
    [
      'serve',
      '--json',
      '--host',
      '127.0.0.1',
      '--port',
      '0',
      '--workers',
      '1',
      '--rate-limit',
      'off',
      '--create-limit',
      'off',
      '--data',
      dataDir,
      ...args,
    ],
    options,
  );
  const { url } = await server.waitFor('listening', undefined, 60_000);
  return { server, url: String(url) };
}

/** A new meeting on the server. */
export async function create(url: string, args: readonly string[] = [], options?: MeetProcessOptions) {
  const command = meet(['create', '--json', '--server', url, ...args], options);
  const { code } = await command.exited;
  const [meeting] = command.events;
  if (code !== 0 || meeting === undefined)
    throw new Error(`meet create ended with ${code}: ${command.stderr}`);
  return { id: String(meeting.id), url: String(meeting.url), hostToken: String(meeting.hostToken) };
}

/** Programs that a command starts and has to end, whatever happens to it. */
const CHILDREN = ['ffmpeg', 'mediasoup-worke'];
const GONE_WITHIN_MS = 5_000;

/** The ffmpegs and SFU workers that commands of this test file have running. */
export async function childrenRunning(): Promise<{ pid: number; name: string }[]> {
  const found: { pid: number; name: string }[] = [];
  for (const entry of await readdir('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    try {
      // The kernel cuts names at 15 characters.
      const name = (await readFile(`/proc/${pid}/comm`, 'utf8')).trim();
      if (!CHILDREN.some((child) => name.startsWith(child))) continue;
      const environment = await readFile(`/proc/${pid}/environ`, 'latin1');
      if (environment.split('\0').includes(`MEET_TEST_ID=${MARK}`)) found.push({ pid, name });
    } catch {
      // It has ended meanwhile.
    }
  }
  return found;
}

/** Waits until no ffmpeg and no SFU worker is left; fails with those that stay. */
export async function nothingLeft(): Promise<void> {
  const until = performance.now() + GONE_WITHIN_MS;
  for (;;) {
    const left = await childrenRunning();
    if (left.length === 0) return;
    if (performance.now() > until)
      throw new Error(`Left running: ${left.map(({ pid, name }) => `${name} ${pid}`).join(', ')}`);
    await delay(50);
  }
}
