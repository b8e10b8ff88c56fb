import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { MediaTransport } from '../../../src/client/transport/media-transport.ts';
import type { TransportOptions } from '../../../src/client/transport/types.ts';
import type { IceServer } from '../../../src/protocol/model.ts';
import { accept, receiveFrom, remoteOf, Sfu, Srtp } from './sfu.ts';
import { UdpProxy } from './udp-proxy.ts';

const missing = ['turnserver', 'openssl'].filter((name) => spawnSync('which', [name]).status !== 0);
const LOGIN = { username: 'user', credential: 'secret' };

let sfu: Sfu;
const turns: ChildProcess[] = [];
let ports: { plain: number; tls: number; strict: number };
/** Above the ports that Linux gives out by itself. */
const RELAY_PORTS = { min: 61_100, max: 61_299 };
const directory = mkdtempSync(join(tmpdir(), 'turn-test-'));
const open: { close(): void }[] = [];
const opened = <T extends { close(): void }>(resource: T): T => {
  open.push(resource);
  return resource;
};

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** Starts coturn and waits until its listeners are up. */
async function startTurn(plain: number, ...options: readonly string[]): Promise<ChildProcess> {
  const name = join(directory, String(plain));
  const child = spawn('turnserver', [
    ...[
      '-n',
      '--listening-ip=127.0.0.1',
      '--relay-ip=127.0.0.1',
      '--no-cli',
      '--no-dtls',
      '--log-file=stdout',
    ],
    ...[`--listening-port=${plain}`, '--lt-cred-mech', '--realm=test'],
    ...[`--user=${LOGIN.username}:${LOGIN.credential}`, `--pidfile=${name}.pid`, `--userdb=${name}.db`],
    ...[`--min-port=${RELAY_PORTS.min}`, `--max-port=${RELAY_PORTS.max}`, ...options],
  ]);
  turns.push(child);
  for await (const line of createInterface({ input: child.stdout }))
    if (/Total (General servers|auth threads)/.test(line)) break;
  child.stdout.resume();
  return child;
}

async function startTurns(): Promise<void> {
  ports = { plain: await freePort(), tls: await freePort(), strict: await freePort() };
  const [certificate, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
  execFileSync('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
    ...[
      '-subj',
      '/CN=localhost',
      '-addext',
      'subjectAltName=DNS:localhost',
      '-out',
      certificate,
      '-keyout',
      key,
    ],
  ]);
  const tls = [`--tls-listening-port=${ports.tls}`, `--cert=${certificate}`, `--pkey=${key}`];
  await Promise.all([
    startTurn(ports.plain, '--allow-loopback-peers', ...tls),
    // It refuses to relay to loopback, that is to any of our servers.
    startTurn(ports.strict, '--no-tls'),
  ]);
}

beforeAll(async () => {
  if (missing.length > 0) return;
  [sfu] = await Promise.all([Sfu.start(), startTurns()]);
});
afterEach(() => {
  for (const each of open.splice(0)) each.close();
});
afterAll(() => {
  if (missing.length === 0) {
    sfu.close();
    for (const turn of turns) turn.kill('SIGKILL');
  }
  rmSync(directory, { recursive: true, force: true });
});

const server = (url: string, login: Partial<typeof LOGIN> = {}): IceServer => ({
  urls: [url],
  ...LOGIN,
  ...login,
});

async function relayed(options: TransportOptions) {
  const remote = opened(await sfu.transport());
  const startedAt = performance.now();
  const client = opened(
    await MediaTransport.create({
      iceTransportPolicy: 'relay',
      turnTlsCa: readFileSync(join(directory, 'cert.pem'), 'utf8'),
      ...options,
    }),
  );
  await accept(remote, client.local);
  const { keys } = await client.connect(remoteOf(remote));
  return { client, remote, srtp: new Srtp(keys), ms: performance.now() - startedAt };
}

describe.skipIf(missing.length > 0)(
  `through coturn${missing.length > 0 ? ` (needs ${missing.join(', ')})` : ''}`,
  () => {
    test.each([
      ['UDP', () => `turn:127.0.0.1:${ports.plain}`],
      ['UDP, by name', () => `turn:localhost:${ports.plain}?transport=udp`],
      ['TCP', () => `turn:127.0.0.1:${ports.plain}?transport=tcp`],
      ['TLS', () => `turns:localhost:${ports.tls}`],
    ])('media passes over %s', async (_what, url) => {
      const { client, remote, srtp, ms } = await relayed({ iceServers: [server(url())] });
      expect(client.path).toMatchObject({ localType: 'relay', protocol: 'udp' });
      expect(client.local.candidates.every((candidate) => candidate.includes('typ relay'))).toBe(true);
      expect(ms).toBeLessThan(2000);
      const received = new Set<string>();
      const all = Promise.withResolvers<void>();
      await receiveFrom(sfu, remote, (payload) => {
        if (received.add(payload).size === 50) all.resolve();
      });
      for (let i = 0; i < 50; i++) client.send(srtp.protect(`packet ${i}`));
      await all.promise;
    });

    test('an ICE restart allocates anew', async () => {
      const { client, remote, srtp } = await relayed({
        iceServers: [server(`turn:127.0.0.1:${ports.plain}`)],
      });
      const [before] = client.local.candidates;
      const iceParameters = await remote.restartIce();
      await client.restartIce();
      await client.connectRestarted({ ...remoteOf(remote), ...iceParameters });
      expect(client.local.candidates).not.toContain(before);
      const received = Promise.withResolvers<string>();
      await receiveFrom(sfu, remote, (payload) => received.resolve(payload));
      client.send(srtp.protect('after'));
      expect(await received.promise).toBe('after');
    });

    test('servers that are silent, unknown, refuse or do not speak TURN are passed over', async () => {
      const silent = createSocket('udp4').bind(0, '127.0.0.1');
      await once(silent, 'listening');
      opened(silent);
      const { client } = await relayed({
        iceServers: [
          server(`turn:127.0.0.1:${silent.address().port}`),
          server('turn:does-not-exist.invalid'),
          server(`turn:127.0.0.1:${await freePort()}?transport=tcp`),
          server(`turn:127.0.0.1:${ports.plain}`, { credential: 'wrong' }),
          server(`turns:127.0.0.1:${ports.tls}`),
          server(`turn:127.0.0.1:${ports.plain}`),
        ],
      });
      expect(client.path?.localType).toBe('relay');
    });

    test('when none gives a relay the sentence says why', async () => {
      const port = await freePort();
      const iceServers = [
        server(`turn:127.0.0.1:${port}?transport=tcp`),
        server(`turn:127.0.0.1:${ports.plain}`, { credential: 'wrong' }),
      ];
      const error: unknown = await MediaTransport.create({ iceTransportPolicy: 'relay', iceServers }).catch(
        (reason: unknown) => reason,
      );
      expect(error).toMatchObject({ code: 'connection-failed' });
      expect((error as Error).message).toBe(
        `No TURN server gave a relay: turn:127.0.0.1:${port}?transport=tcp (ECONNREFUSED); ` +
          `turn:127.0.0.1:${ports.plain} (it refused the allocation (401 Unauthorized)).`,
      );
    });

    test('it is used where nothing direct works, without being asked for', async () => {
      const remote = opened(await sfu.transport());
      const parameters = remoteOf(remote);
      const udp = remote.iceCandidates.find(({ protocol }) => protocol === 'udp')!;
      const proxy = opened(await UdpProxy.to(udp.port));
      proxy.accepts = (port) => port >= RELAY_PORTS.min && port <= RELAY_PORTS.max;
      // The first server that allocates refuses to relay to the SFU.
      const iceServers = [server(`turn:127.0.0.1:${ports.strict}`), server(`turn:127.0.0.1:${ports.plain}`)];
      const client = opened(await MediaTransport.create({ iceServers }));
      await accept(remote, client.local);
      const { iceMs } = await client.connect({
        ...parameters,
        candidates: [`1 1 udp 1 127.0.0.1 ${proxy.port} typ host`],
      });
      expect(client.path?.localType).toBe('relay');
      expect(iceMs).toBeLessThan(2000);
    });

    test('the end of the TURN server is noticed', async () => {
      const { client } = await relayed({
        iceServers: [server(`turn:127.0.0.1:${ports.plain}?transport=tcp`)],
      });
      const state = once(client, 'state');
      for (const turn of turns) turn.kill('SIGKILL');
      expect(await state).toEqual(['disconnected']);
    });
  },
);

test('the relay policy without a TURN server says so', async () => {
  await expect(MediaTransport.create({ iceTransportPolicy: 'relay' })).rejects.toMatchObject({
    code: 'connection-failed',
    message: 'No TURN server gave a relay: the server named none.',
  });
});
