/** A PostgreSQL server of one's own for a test file, from the distribution's package. */
import { execFile, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { chown, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { freePort } from './free-port.ts';

const run = promisify(execFile);
const DEBIAN_VERSIONS = '/usr/lib/postgresql';
/** initdb writes 40 MB and fsyncs; on a busy machine that is most of the start. */
const START_TIMEOUT_MS = 60_000;

export interface TestPostgres {
  /** Makes a fresh, empty database and answers its URL. */
  createDatabase(): Promise<string>;
  /** URL of a database of this server; the user is a superuser unless another is named. */
  url(database: string, options?: { user?: string; password?: string }): string;
  stop(): Promise<void>;
}

/** Why no PostgreSQL can be started here; `undefined` when one can. */
export function postgresMissing(): string | undefined {
  if (!binaries()) return 'PostgreSQL is not installed: apt-get install postgresql';
  return undefined;
}

function binaries(): string | undefined {
  if (!existsSync(DEBIAN_VERSIONS)) return undefined;
  return readdirSync(DEBIAN_VERSIONS)
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(DEBIAN_VERSIONS, version, 'bin'))
    .find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')));
}

/** Starts it on a free loopback port. PostgreSQL refuses to run as root, so root starts it as another user. */
export async function startPostgres(): Promise<TestPostgres> {
  const bin = binaries();
  if (!bin) throw new Error(postgresMissing());
  const folder = await mkdtemp(join(tmpdir(), 'meet-pg-'));
  const as = process.getuid?.() === 0 ? await unprivileged() : undefined;
  if (as) await chown(folder, as.uid, as.gid);
  const data = join(folder, 'data');
  const options = { ...as, cwd: folder, env: { PATH: process.env.PATH, LC_ALL: 'C' } };
  try {
    await run(
      join(bin, 'initdb'),
      ['-D', data, '-U', 'meet', '-A', 'trust', '-E', 'UTF8', '--no-sync', '--no-instructions'],
      options,
    );
    const port = await freePort();
    const server = spawn(
      join(bin, 'postgres'),
      ['-D', data, '-h', '127.0.0.1', '-p', String(port), '-k', folder, '-c', 'fsync=off'],
      { ...options, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    let log = '';
    const ready = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`PostgreSQL did not start: ${log}`)), START_TIMEOUT_MS);
      server.stderr.setEncoding('utf8').on('data', (text: string) => {
        log = (log + text).slice(-4000);
        if (log.includes('ready to accept connections')) {
          clearTimeout(timer);
          resolve();
        }
      });
      server.once('error', reject);
      server.once('exit', (code) => {
        clearTimeout(timer);
        reject(new Error(`PostgreSQL ended with ${code}: ${log}`));
      });
    });
    const exited = new Promise<void>((resolve) => server.once('exit', () => resolve()));
    const stop = async () => {
      // SIGINT is PostgreSQL's fast shutdown: sessions are ended, nothing is waited for.
      server.kill('SIGINT');
      await exited;
      await rm(folder, { recursive: true, force: true });
    };
    await ready.catch(async (error) => {
      server.kill('SIGKILL');
      throw error;
    });
    let databases = 0;
    const url: TestPostgres['url'] = (database, { user = 'meet', password } = {}) =>
      `postgres://${user}${password === undefined ? '' : `:${password}`}@127.0.0.1:${port}/${database}`;
    return {
      url,
      stop,
      async createDatabase() {
        const name = `test${++databases}`;
        const client = new pg.Client({ connectionString: url('postgres') });
        await client.connect();
        try {
          await client.query(`create database ${name}`);
        } finally {
          await client.end();
        }
        return url(name);
      },
    };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** The package's own user, else nobody. */
async function unprivileged(): Promise<{ uid: number; gid: number }> {
  const users = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  const user = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody');
  if (!user) throw new Error('There is no user that PostgreSQL could run as.');
  return { uid: Number(user[2]), gid: Number(user[3]) };
}
