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

const missing = ['turnserver', 'openssl'].filter((name) => spawnSync('which', [name]).status !== 0);
const LOGIN = { username: 'user', credential: 'secret' };

let sfu: Sfu;
let turn: ChildProcess;
let ports: { plain: number; tls: number };
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

async function startTurn(): Promise<void> {
  ports = { plain: await freePort(), tls: await freePort() };
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
  turn = spawn('turnserver', [
    ...[
      '-n',
      '--listening-ip=127.0.0.1',
      '--relay-ip=127.0.0.1',
      '--no-cli',
      '--no-dtls',
      '--log-file=stdout',
    ],
    ...[`--listening-port=${ports.plain}`, `--tls-listening-port=${ports.tls}`, '--allow-loopback-peers'],
    ...['--lt-cred-mech', `--user=${LOGIN.username}:${LOGIN.credential}`, '--realm=test'],
    ...[`--cert=${certificate}`, `--pkey=${key}`, `--pidfile=${directory}/pid`, `--userdb=${directory}/db`],
  ]);
  const listening = new Set<string>();
  for await (const line of createInterface({ input: turn.stdout! })) {
    const match = /IPv4\. (UDP|TCP|TLS)[^:]* (?:listener )?opened/i.exec(line);
    if (match !== null) listening.add(match[1]!.toUpperCase());
    if (/Total (General servers|auth threads)/.test(line)) listening.add('ready');
    if (listening.has('ready')) break;
  }
  turn.stdout!.resume();
}

beforeAll(async () => {
  if (missing.length > 0) return;
  [sfu] = await Promise.all([Sfu.start(), startTurn()]);
});
afterEach(() => {
  for (const each of open.splice(0)) each.close();
});
afterAll(() => {
  if (missing.length === 0) {
    sfu.close();
    turn.kill('SIGKILL');
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
      const iceServers = [server(`turn:127.0.0.1:${ports.plain}`)];
      const remote = opened(await sfu.transport());
      const client = opened(await MediaTransport.create({ iceServers }));
      await accept(remote, client.local);
      const { candidates, ...rest } = remoteOf(remote);
      const connecting = client.connect({
        ...rest,
        candidates: ['1 1 tcp 1 127.0.0.1 1 typ host tcptype passive'],
      });
      client.addRemoteCandidate(candidates.find((each) => each.includes('udp'))!);
      await connecting;
      expect(client.path?.localType).toBe('host');
    });

    test('the end of the TURN server is noticed', async () => {
      const { client } = await relayed({
        iceServers: [server(`turn:127.0.0.1:${ports.plain}?transport=tcp`)],
      });
      const state = once(client, 'state');
      turn.kill('SIGKILL');
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
