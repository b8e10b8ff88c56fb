/** `meet serve`, `meet setup` and `meet doctor` as processes: what they print, what stops them, what they refuse. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdir, mkdtemp, readdir, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { BOUNDED_ROOT } from '../support/bounded-root.ts';
import { create, type MeetEvent, meet, nothingLeft, run, serve, stopAll } from '../support/meet-process.ts';
import { smallDisk } from '../support/small-disk.ts';
import { workerBin } from '../support/worker.ts';
import { eventFaults } from './events.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'meet-serve-'));
});
afterEach(async () => {
  await stopAll();
  await nothingLeft();
});

/** A user who is not root, whoever it is. */
const NOBODY = 65_534;
const LOCAL = ['--host', '127.0.0.1', '--port', '0', '--workers', '1'];
const data = (name: string) => join(folder, name);

describe('meet serve', () => {
  test('says where it listens and why it stopped, whichever signal it is', async () => {
    await Promise.all(
      (['SIGTERM', 'SIGINT', 'SIGHUP'] as const).map(async (signal) => {
        const { server, url } = await serve(data(signal));
        expect((await fetch(`${url}/healthz`)).status).toBe(200);
        expect(server.events[0]).toMatchObject({ event: 'listening', url, pid: server.child.pid });
        expect(await server.stop(signal)).toBe(0);
        expect(server.events.map(({ event }) => event)).toEqual(['listening', 'stopped']);
        expect(server.events[1]).toMatchObject({ reason: signal });
        expect(eventFaults(server.events)).toEqual([]);
        expect(server.lines).toEqual([]);
        expect(server.stderr).toBe('');
      }),
    );
  });

  test('tells people in sentences, and nothing with --quiet', async () => {
    const [talking, quiet] = [[], ['--quiet']].map((more) =>
      meet(['serve', ...LOCAL, '--data', data(`talk${more}`), ...more]),
    );
    await expect
      .poll(() => talking?.stdout, { timeout: 10_000 })
      .toMatch(/^Listening on (http:\S+)\n.*meet create --server \1\n$/);
    await expect
      .poll(() =>
        readdir(data('talk--quiet')).then(
          (names) => names.length,
          () => 0,
        ),
      )
      .toBeGreaterThan(1);
    expect(await talking?.stop()).toBe(0);
    expect(talking?.stdout).toMatch(/Stopping/);
    expect(await quiet?.stop()).toBe(0);
    expect(quiet).toMatchObject({ stdout: '', stderr: '' });
    expect(talking?.stdout).not.toContain('\u001b');
  });

  test('goes on when nobody reads its output any more', async () => {
    const { server, url } = await serve(data('unread'));
    server.child.stdout?.destroy();
    expect(await create(url)).toMatchObject({ id: expect.stringMatching(/^[a-z0-9-]+$/) });
    expect(await server.stop('SIGTERM')).toBe(0);
  });

  test('takes its settings from flags, environment and config file, in this order', async () => {
    const config = join(folder, 'config.json');
    await writeFile(
      config,
      JSON.stringify({ data: data('configured'), host: '127.0.0.2', 'rate-limit': 7, workers: 1, port: 0 }),
    );
    const args = ['serve', '--json', '--host', '127.0.0.3'];
    const servers = [
      {
        words: args,
        env: { MEET_CONFIG: config, MEET_HOST: '127.0.0.4', MEET_DATA: data('environment') },
        at: '127.0.0.3',
        in: 'environment',
      },
      { words: args.slice(0, 2), env: { MEET_CONFIG: config }, at: '127.0.0.2', in: 'configured' },
      {
        words: args.slice(0, 2),
        env: { XDG_DATA_HOME: folder, MEET_PORT: '0', MEET_WORKERS: '1' },
        at: '127.0.0.1',
        in: 'meet',
      },
    ];
    await Promise.all(
      servers.map(async ({ words, env, at, in: where }) => {
        const server = meet(words, { env });
        const { url } = await server.waitFor('listening');
        expect(new URL(String(url)).hostname).toBe(at);
        expect(await readdir(join(folder, where))).toContain('meet.db');
        if (where === 'configured') {
          const reply = await fetch(`${url}/meetings`, {
            method: 'POST',
            body: '{}',
            headers: { 'content-type': 'application/json' },
          });
          expect(reply.headers.get('x-ratelimit-limit')).toBe('7');
        }
        await server.stop();
      }),
    );
  });

  test('serves HTTPS, to whoever trusts the certificate', async () => {
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1'],
        ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert],
      ],
      { stdio: 'ignore' },
    );
    const { server, url } = await serve(data('tls'), ['--tls-cert', cert, '--tls-key', key]);
    expect(url).toMatch(/^https:/);
    const stranger = await run(['create', '--server', url]);
    expect(stranger).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('its certificate is self-signed'),
    });
    expect(await create(url, [], { env: { NODE_EXTRA_CA_CERTS: cert } })).toMatchObject({
      url: expect.stringMatching(`^${url}/meetings/`),
    });
    await server.stop();
  });
});

describe('what serve refuses', () => {
  const refused = async (args: readonly string[], options?: Parameters<typeof run>[1]) => {
    const { code, error, events, stderr } = await run(['serve', '--json', ...LOCAL, ...args], options);
    expect(events.filter(({ event }: MeetEvent) => event === 'listening')).toEqual([]);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    return { code, ...error };
  };

  test('a port in use, with a way out', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    try {
      expect(await refused(['--data', data('port'), '--port', String(port)])).toMatchObject({
        code: 'port-in-use',
        message: `Port ${port} is taken by another process.`,
        hint: expect.stringContaining('--port'),
      });
    } finally {
      other.close();
    }
  });

  test('a data folder that is a file, or in one', async () => {
    await writeFile(data('file'), 'kept');
    for (const path of [data('file'), join(data('file'), 'below')]) {
      expect(await refused(['--data', path])).toMatchObject({
        code: 'no-permission',
        message: expect.stringContaining(path),
      });
    }
  });

  test.skipIf(process.getuid?.() !== 0)('a data folder of somebody else', async () => {
    const path = data('not-mine');
    await mkdir(path);
    await chown(path, NOBODY, NOBODY);
    expect(await refused(['--data', path], { prefix: BOUNDED_ROOT })).toMatchObject({
      code: 'no-permission',
      message: expect.stringContaining(path),
    });
  });

  test('a full disk', async ({ skip }) => {
    const disk = await smallDisk(64 * 1024);
    if (typeof disk === 'string') return skip(disk);
    try {
      expect(await refused(['--data', join(disk.path, 'data')])).toMatchObject({ code: 'disk-full' });
    } finally {
      await disk.remove();
    }
  });

  test('an address that is not of this machine, and a worker that is none', async () => {
    expect(await refused(['--data', data('address'), '--host', '192.0.2.1'])).toMatchObject({
      code: 'bad-config',
    });
    for (const path of ['/bin/false', '/nonexistent/worker', '/etc/passwd']) {
      const reply = await refused(['--data', data('worker')], { env: { MEDIASOUP_WORKER_BIN: path } });
      expect(reply.message).toContain(path);
      expect(reply.code).toMatch(/^worker-(missing|died)$/);
    }
  });
});

describe('meet setup', () => {
  test('says where the worker is', async () => {
    const { code, events } = await run(['setup', '--json']);
    expect(code).toBe(0);
    expect(eventFaults(events)).toEqual([]);
    expect(events.at(-1)).toMatchObject({ event: 'ready', workerBin: workerBin() });
    expect((await run(['setup'])).stdout).toMatch(/^The SFU worker is ready: \//);
  });
});

describe('meet doctor', () => {
  test('checks this machine, 0 when nothing has failed', async () => {
    const doctor = await run(['doctor', '--json', '--data', data('doctor')]);
    expect(eventFaults(doctor.events)).toEqual([]);
    const names = doctor.all('check').map(({ name }) => name);
    expect(names).toEqual(['node', 'ffmpeg', 'worker', 'ports', 'udp-buffers', 'data', 'disk', 'clock']);
    const failed = doctor.all('check').some(({ status }) => status === 'failed');
    expect(doctor.code).toBe(failed ? 1 : 0);
  });

  test('is 1 and says what mends it when something has', async () => {
    const { code, stdout } = await run(['doctor', '--data', '/dev/null/data'], {
      env: { MEET_FFMPEG: '/nonexistent/ffmpeg' },
    });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^FAIL {2}ffmpeg {7}.*\/nonexistent\/ffmpeg/m);
    expect(stdout).toMatch(/^FAIL {2}data .*\n {19}Give another one: meet serve --data DIR$/m);
  });
});
