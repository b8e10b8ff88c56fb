/** A clamd of one's own for a test file, which knows the EICAR test file and nothing else. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from './free-port.ts';

const CLAMD = '/usr/sbin/clamd';

/** The test file that every scanner finds (eicar.org); in two parts, so that none finds this one. */
export const EICAR = `X5O!P%@AP[4\\PZX54(P^)7CC)7}$${'EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'}`;

export interface TestClamd {
  readonly url: string;
  stop(): Promise<void>;
}

/** Why none can be started here; `undefined` when one can. */
export function clamdMissing(): string | undefined {
  return existsSync(CLAMD) ? undefined : 'clamd is not installed: apt-get install clamav-daemon';
}

/** Starts it on a free loopback port. */
export async function startClamd(options: { streamMaxLength?: string } = {}): Promise<TestClamd> {
  const folder = await mkdtemp(join(tmpdir(), 'meet-clamd-'));
  const database = join(folder, 'db');
  await mkdir(database);
  const md5 = createHash('md5').update(EICAR).digest('hex');
  await writeFile(join(database, 'eicar.hdb'), `${md5}:${EICAR.length}:Eicar-Test-File\n`);
  await writeFile(
    join(database, 'eicar.ndb'),
    `Eicar-Test-String:0:*:${Buffer.from(EICAR).toString('hex')}\n`,
  );
  const port = await freePort();
  const config = [
    `DatabaseDirectory ${database}`,
    `TCPSocket ${port}`,
    'TCPAddr 127.0.0.1',
    'Foreground yes',
    `StreamMaxLength ${options.streamMaxLength ?? '100M'}`,
    ...(process.getuid?.() === 0 ? ['User root'] : []),
  ];
  await writeFile(join(folder, 'clamd.conf'), `${config.join('\n')}\n`);
  const child = spawn(CLAMD, ['-c', join(folder, 'clamd.conf')], { stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(child, 'exit');
  const stop = async () => {
    child.kill('SIGKILL');
    await exited;
    await rm(folder, { recursive: true, force: true });
  };
  let said = '';
  child.stderr.on('data', (data) => (said += String(data)));
  for await (const line of createInterface({ input: child.stdout })) {
    said += `${line}\n`;
    // Its last word before it takes connections.
    if (/Self checking every|TCP: Setting connection queue/.test(line)) break;
  }
  if (child.exitCode !== null) {
    await stop();
    throw new Error(`clamd ended: ${said}`);
  }
  // Or it stops when nobody reads what it says.
  child.stdout.resume();
  return { url: `tcp://127.0.0.1:${port}`, stop };
}
