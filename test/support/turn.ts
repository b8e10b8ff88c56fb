/** A coturn of one's own for a test file, that takes the time-limited credentials of a shared secret. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from './free-port.ts';

/** Why no coturn can be started here; `undefined` when one can. */
export const turnMissing: string | undefined =
  spawnSync('which', ['turnserver']).status === 0 ? undefined : 'no coturn: apt-get install coturn';

/** Above the ports that Linux gives out by itself. */
const RELAY_PORTS = { min: 61_300, max: 61_399 };

export interface TestTurn {
  readonly port: number;
  readonly secret: string;
  /** What it has logged so far, in lines. */
  readonly log: readonly string[];
  /** Resolves with the next line that matches, or one that has come already. */
  logged(pattern: RegExp): Promise<string>;
  stop(): Promise<void>;
}

/** Starts it on a free loopback port, for UDP and TCP. */
export async function startTurn(): Promise<TestTurn> {
  const folder = await mkdtemp(join(tmpdir(), 'meet-turn-'));
  const port = await freePort();
  const secret = 'shared secret of the test';
  const child = spawn(
    'turnserver',
    [
      ...['-n', '-v', '--no-cli', '--no-tls', '--no-dtls', '--log-file=stdout', '--realm=meet.test'],
      ...['--listening-ip=127.0.0.1', '--relay-ip=127.0.0.1', `--listening-port=${port}`],
      ...['--use-auth-secret', `--static-auth-secret=${secret}`, '--allow-loopback-peers'],
      ...[`--min-port=${RELAY_PORTS.min}`, `--max-port=${RELAY_PORTS.max}`],
      ...[`--pidfile=${join(folder, 'pid')}`, `--userdb=${join(folder, 'users')}`],
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const exited = once(child, 'exit');
  const log: string[] = [];
  const waiting = new Set<{ pattern: RegExp; resolve: (line: string) => void }>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    log.push(line);
    for (const waiter of waiting) {
      if (!waiter.pattern.test(line)) continue;
      waiting.delete(waiter);
      waiter.resolve(line);
    }
  });
  const logged = async (pattern: RegExp) =>
    log.find((line) => pattern.test(line)) ??
    new Promise<string>((resolve) => waiting.add({ pattern, resolve }));
  const ended = exited.then(() => {
    throw new Error(`coturn ended: ${log.slice(-5).join('\n')}`);
  });
  await Promise.race([logged(/Total General servers/), ended]);
  ended.catch(() => {});
  return {
    port,
    secret,
    log,
    logged,
    async stop() {
      child.kill('SIGKILL');
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
