/** Programs of the benchmarks: processes of their own that are told over IPC what to do. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** What a program can be asked; the same type is used on both sides. */
export type Requests = Readonly<Record<string, (argument: never) => unknown>>;

interface Question {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

export interface ProgramOptions {
  /** Words before the command, such as `ip netns exec NAME`. */
  readonly prefix?: readonly string[];
  readonly nodeOptions?: readonly string[];
}

const running = new Set<Program<never>>();

/** A program as its parent sees it. */
export class Program<R extends Requests> {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #nextId = 0;

  /** @param name file in bench/programs, without its ending */
  constructor(name: string, { prefix = [], nodeOptions = [] }: ProgramOptions = {}) {
    const script = fileURLToPath(new URL(`../programs/${name}.ts`, import.meta.url));
    const [command = process.execPath, ...rest] = [...prefix, process.execPath, ...nodeOptions, script];
    this.#child = spawn(command, rest, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      // Typed arrays pass as they are.
      serialization: 'advanced',
    });
    running.add(this);
    this.#child.on('message', ({ id, result, error }: Answer) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.resolve(result);
      else waiting?.reject(new Error(`${name}: ${error}`));
    });
    this.#child.once('exit', (code, signal) => {
      running.delete(this);
      for (const waiting of this.#waiting.values())
        waiting.reject(new Error(`${name} ended with ${code ?? signal}`));
      this.#waiting.clear();
    });
  }

  /** Of the program itself also behind a prefix, since `ip netns exec` becomes what it executes. */
  get pid(): number {
    return this.#child.pid!;
  }

  ask<K extends keyof R & string>(
    name: K,
    ...[argument]: Parameters<R[K]>
  ): Promise<Awaited<ReturnType<R[K]>>> {
    const id = this.#nextId++;
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(id, waiting);
    this.#child.send({ id, name, argument } satisfies Question, (error) => {
      if (error) waiting.reject(error);
    });
    return waiting.promise as Promise<Awaited<ReturnType<R[K]>>>;
  }

  /** Ends it: the channel's end tells it to, and what does not listen is killed. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    if (this.#child.connected) this.#child.disconnect();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 5_000);
    await exited;
    clearTimeout(timer);
  }
}

/** Ends every program that still runs, after a benchmark that failed. */
export async function closePrograms(): Promise<void> {
  await Promise.all([...running].map((program) => program.close()));
}

/** The side of the program itself: answers questions until the parent is gone, then cleans up and ends. */
export function answer<R extends Requests>(requests: R, close: () => Promise<void> | void = () => {}): void {
  process.on('message', ({ id, name, argument }: Question) => {
    const reply = (answer: Answer) => {
      if (process.connected) process.send?.(answer);
    };
    void (async () => (requests[name] as (argument: unknown) => unknown)(argument))().then(
      (result) => reply({ id, result }),
      (error: unknown) =>
        reply({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  });
  process.once('disconnect', () => {
    void Promise.resolve(close()).finally(() => process.exit());
  });
  // Ctrl-C reaches the whole process group; the parent decides when it is time.
  process.on('SIGINT', () => {});
}
