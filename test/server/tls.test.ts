/** TLS of the server's own, and of a proxy in front of it. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { CreateMeetingReply, JoinReply } from '../../src/protocol/rest.ts';
import { selfSigned } from '../support/certificate.ts';
import { type ReverseProxy, startReverseProxy } from '../support/reverse-proxy.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { SignalingClient } from '../support/signaling.ts';

const PROGRAM = fileURLToPath(new URL('../support/join-program.ts', import.meta.url));

let folder: string;
let tls: { cert: string; key: string };
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'meet-tls-'));
  tls = selfSigned(folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Call {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  /** Loopback address to call from. */
  readonly from?: string;
}

/** A REST call that trusts the certificate. */
async function call<T>(
  url: string,
  options: Call = {},
): Promise<{ status: number; body: T; headers: object }> {
  const { method = 'GET', body, headers = {}, from = '127.0.0.1' } = options;
  const agent = new Agent({ ca: readFileSync(tls.cert) });
  const asked = request(url, {
    method,
    agent,
    localAddress: from,
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
  });
  asked.end(body === undefined ? undefined : JSON.stringify(body));
  const [reply] = await once(asked, 'response');
  const said = await text(reply);
  agent.destroy();
  return { status: reply.statusCode, headers: reply.headers, body: JSON.parse(said) as T };
}

const createMeeting = async (base: string) =>
  (await call<CreateMeetingReply>(`${base}/meetings`, { method: 'POST', body: {} })).body.meeting;

/** The client in a process of its own, since a process reads NODE_EXTRA_CA_CERTS once. */
async function joinInChild(meetingUrl: string, env: Record<string, string>): Promise<unknown> {
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, meetingUrl], {
    env: { ...process.env, ...env },
    timeout: 40_000,
  });
  return JSON.parse(stdout);
}

describe('TLS of the server', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ tlsCert: tls.cert, tlsKey: tls.key });
  });
  afterAll(() => server.close());

  test('a client that trusts the certificate joins over https and wss', async () => {
    const meeting = await createMeeting(server.url);
    expect(meeting.url).toBe(`https://127.0.0.1:${server.port}/meetings/${meeting.id}`);
    expect(await joinInChild(meeting.url, { NODE_EXTRA_CA_CERTS: tls.cert })).toEqual({
      participantId: expect.any(String),
    });
  }, 60_000);

  test('one that does not is told why it cannot', async () => {
    const meeting = await createMeeting(server.url);
    expect(await joinInChild(meeting.url, {})).toMatchObject({
      error: {
        code: 'server-unreachable',
        message: expect.stringContaining('its certificate is self-signed'),
      },
    });
  }, 60_000);

  test('browsers are told to come over TLS only', async () => {
    expect((await call(`${server.url}/healthz`)).headers).toMatchObject({
      'strict-transport-security': 'max-age=31536000',
    });
  });

  test.each(['TLSv1.2', 'TLSv1.1'] as const)('%s is refused', async (maxVersion) => {
    const old = connectTls({
      port: server.port,
      host: '127.0.0.1',
      ca: readFileSync(tls.cert),
      minVersion: 'TLSv1',
      maxVersion,
      // OpenSSL itself no longer offers TLS 1.1 at its default level.
      ciphers: 'DEFAULT@SECLEVEL=0',
    });
    const [error] = await once(old, 'error');
    expect(String(error)).toMatch(/version/i);
  });

  test('plain HTTP on the port is no reason to hang', async () => {
    await expect(fetch(`http://127.0.0.1:${server.port}/healthz`)).rejects.toThrow();
    expect((await call(`${server.url}/healthz`)).status).toBe(200);
  });
});

test('a key of another certificate is refused at the start', async () => {
  const other = selfSigned(folder, 'other');
  await expect(startTestServer({ tlsCert: tls.cert, tlsKey: other.key })).rejects.toMatchObject({
    code: 'bad-config',
    message: 'The TLS certificate or key cannot be used.',
  });
});

describe('behind a proxy that ends TLS', () => {
  let server: TestServer;
  let proxy: ReverseProxy;
  async function start(options: Parameters<typeof startTestServer>[0]) {
    server = await startTestServer(options);
    proxy = await startReverseProxy(server.port, tls);
  }
  async function stop() {
    await proxy.close();
    await server.close();
  }

  test('the server tells the URLs of the proxy, and a client joins through it', async () => {
    await start({ trustProxy: true });
    try {
      const meeting = await createMeeting(proxy.url);
      expect(meeting.url).toBe(`${proxy.url}/meetings/${meeting.id}`);
      const joined = await call<JoinReply>(`${meeting.url}/join`, {
        method: 'POST',
        body: { displayName: 'Ann' },
      });
      expect(joined.body.signalingUrl).toBe(`wss://127.0.0.1:${proxy.port}/signaling/${meeting.id}`);
      const { signalingUrl, token } = joined.body;
      const client = await SignalingClient.open(signalingUrl, token, { ca: readFileSync(tls.cert) });
      expect((await client.state()).meeting?.url).toBe(meeting.url);
      await client.leave();
      expect(await joinInChild(meeting.url, { NODE_EXTRA_CA_CERTS: tls.cert })).toEqual({
        participantId: expect.any(String),
      });
    } finally {
      await stop();
    }
  }, 60_000);

  test('limits count by the address that the proxy saw, whatever the client claims', async () => {
    await start({ trustProxy: true, rateLimit: { requests: 3, windowMs: 60_000 } });
    try {
      const statuses = async (from: string, claim?: string) => {
        const headers: Record<string, string> = claim === undefined ? {} : { 'x-forwarded-for': claim };
        return (await call(`${proxy.url}/healthz`, { from, headers })).status;
      };
      const first = [];
      for (const claim of [undefined, '198.51.100.1', '198.51.100.2', '198.51.100.3']) {
        first.push(await statuses('127.0.0.2', claim));
      }
      expect(first).toEqual([200, 200, 200, 429]);
      expect(await statuses('127.0.0.3')).toBe(200);

      // Signaling has a budget of its own, counted the same way.
      const codes = async (from: string, count: number) => {
        const seen: number[] = [];
        for (let i = 0; i < count; i++) {
          const socket = new WebSocket(`wss://127.0.0.1:${proxy.port}/signaling/abc-defg-hij`, {
            ca: readFileSync(tls.cert),
            localAddress: from,
            headers: { 'x-forwarded-for': `198.51.100.${i}` },
          });
          seen.push((await once(socket, 'close'))[0]);
        }
        return seen;
      };
      expect(await codes('127.0.0.2', 4)).toEqual([4401, 4401, 4401, 4429]);
      expect(await codes('127.0.0.3', 1)).toEqual([4401]);
    } finally {
      await stop();
    }
  });

  test('without --trust-proxy nothing of what it says counts', async () => {
    await start({ rateLimit: { requests: 3, windowMs: 60_000 } });
    try {
      const meeting = await createMeeting(proxy.url);
      expect(meeting.url).toBe(`http://backend.internal/meetings/${meeting.id}`);
      const statuses = [];
      for (const from of ['127.0.0.2', '127.0.0.3', '127.0.0.4']) {
        statuses.push((await call(`${proxy.url}/healthz`, { from })).status);
      }
      // To the server all of them come from the proxy.
      expect(statuses).toEqual([200, 200, 429]);
    } finally {
      await stop();
    }
  });
});
