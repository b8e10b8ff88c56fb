/** A receiver behind a link that becomes narrow and wide again, between two network namespaces. */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { barcodeClip } from '../../../support/barcode-clip.ts';
import { mediaCacheDir } from '../../../support/media-cache.ts';
import { noNamespaces, TwoHosts } from '../../../support/namespaces.ts';

const run = promisify(execFile);
const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));
const skip =
  noNamespaces() ?? (spawnSync('sh', ['-c', 'command -v tc']).status === 0 ? undefined : 'tc is missing');

interface Said {
  readonly height?: number;
  readonly audioOnly?: boolean;
  readonly audioPackets?: number;
  readonly audioLost?: number;
}

describe.skipIf(skip !== undefined)(`a narrow link ${skip ?? ''}`, () => {
  const children: ChildProcess[] = [];
  const said: Said[] = [];
  let hosts: TwoHosts;
  let dataDir: string;
  let limited = false;
  const heard = new EventEmitter<{ line: [] }>();

  function start(prefix: readonly string[], ...args: string[]): ChildProcess {
    const [program, ...rest] = [...prefix, process.execPath, ...args];
    const child = spawn(program!, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    return child;
  }

  /** What goes to the receiver, bits a second. */
  async function limit(rate: string): Promise<void> {
    const words = `qdisc ${limited ? 'change' : 'add'} dev e0 root tbf rate ${rate} burst 8192 latency 200ms`;
    limited = true;
    await run('tc', ['-n', hosts.server.name, ...words.split(' ')]);
  }

  /** Waits for the receiver to say it after now. */
  async function until(holds: (event: Said) => boolean): Promise<Said> {
    for (let at = said.length; ; at++) {
      while (at >= said.length) {
        await once(heard, 'line');
      }
      if (holds(said[at]!)) return said[at]!;
    }
  }

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'meet-narrow-'));
    const clip = await barcodeClip({ seconds: 4 });
    hosts = await TwoHosts.create();
    await limit('5mbit');
    const options = {
      host: hosts.server.address,
      port: 0,
      workers: 1,
      rateLimit: false,
      dataDir,
      workerBin: process.env.MEDIASOUP_WORKER_BIN,
    };
    const sender = start(
      hosts.server.prefix,
      here('./sender-process.ts'),
      JSON.stringify(options),
      clip,
      mediaCacheDir(),
    );
    const [url] = (await once(createInterface({ input: sender.stdout! }), 'line')) as [string];
    const receiver = start(hosts.client.prefix, here('./receiver-process.ts'), url);
    createInterface({ input: receiver.stdout! }).on('line', (line) => {
      said.push(JSON.parse(line) as Said);
      heard.emit('line');
    });
  }, 120_000);

  afterAll(async () => {
    for (const child of children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    await hosts?.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  // What passes when is measured by `npm run bench:network`: a busy machine delays every step of it.
  test('the best layer, audio only, and back to the best layer', async () => {
    await limit('5mbit');
    if (said.at(-1)?.height !== 720) await until(({ height }) => height === 720);
    const narrow = until(({ audioOnly }) => audioOnly === true);
    await limit('150kbit');
    const before = await narrow;

    const wide = until(({ audioOnly }) => audioOnly === false);
    const best = until(({ height }) => height === 720);
    await limit('5mbit');
    const after = await wide;
    await best;
    // Sound went on all the while.
    const packets = after.audioPackets! - before.audioPackets!;
    expect(packets).toBeGreaterThan(20);
    expect((after.audioLost! - before.audioLost!) / packets).toBeLessThan(0.1);
  }, 120_000);
});
