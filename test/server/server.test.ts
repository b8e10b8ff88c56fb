import { once } from 'node:events';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestServer } from '../support/server.ts';
import { connect, createMeeting, join, rest, SignalingClient } from '../support/signaling.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(joinPath(tmpdir(), 'meet-start-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a start that fails says why', () => {
  test('the port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    await expect(startTestServer({ port })).rejects.toMatchObject({
      code: 'port-in-use',
      message: `Port ${port} is taken by another process.`,
    });
    other.close();
  });

  test('the data folder cannot be written', async () => {
    const file = joinPath(folder, 'a-file');
    await writeFile(file, '');
    await expect(startTestServer({ dataDir: joinPath(file, 'data') })).rejects.toMatchObject({
      code: 'no-permission',
    });
    await expect(startTestServer({ dataDir: '/sys/meet' })).rejects.toMatchObject({ code: 'no-permission' });
  });

  test('the address is not of this machine', async () => {
    await expect(startTestServer({ host: '192.0.2.1', listen: [{ ip: '127.0.0.1' }] })).rejects.toMatchObject(
      { code: 'bad-config' },
    );
  });

  test('the TLS files are missing or no certificate', async () => {
    const missing = joinPath(folder, 'missing.pem');
    await expect(startTestServer({ tlsCert: missing, tlsKey: missing })).rejects.toMatchObject({
      code: 'bad-config',
    });
    const nonsense = joinPath(folder, 'nonsense.pem');
    await writeFile(nonsense, 'nonsense');
    await expect(startTestServer({ tlsCert: nonsense, tlsKey: nonsense })).rejects.toMatchObject({
      code: 'bad-config',
    });
  });

  test('the token key is damaged', async () => {
    const dataDir = joinPath(folder, 'damaged');
    await (await startTestServer({ dataDir })).close();
    const file = joinPath(dataDir, 'token.key');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await writeFile(file, 'short');
    await expect(startTestServer({ dataDir })).rejects.toMatchObject({ code: 'storage-failed' });
  });
});

test('tokens outlive a restart', async () => {
  const dataDir = joinPath(folder, 'restart');
  const first = await startTestServer({ dataDir });
  const { meeting, hostToken } = await createMeeting(first.url);
  await first.close();
  const second = await startTestServer({ dataDir });
  expect(await join(second.url, meeting.id, 'Host', hostToken)).toMatchObject({
    participant: { role: 'host' },
  });
  await second.close();
});

test('the rate limit counts by address and by token, and says when to come back', async () => {
  const server = await startTestServer({ rateLimit: { requests: 5, windowMs: 60_000 } });
  try {
    const { hostToken, meeting } = await createMeeting(server.url);
    const statuses = [];
    for (let i = 0; i < 5; i++) statuses.push((await rest(server.url, 'GET', '/healthz')).status);
    expect(statuses).toEqual([200, 200, 200, 200, 429]);
    const limited = await rest(server.url, 'GET', '/nowhere');
    expect(limited).toMatchObject({ status: 429, body: { error: { code: 'rate-limited' } } });
    expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0);
    // A token that is not good gives no budget of its own, a good one does.
    expect((await rest(server.url, 'GET', '/healthz', { token: 'forged' })).status).toBe(429);
    const path = `/meetings/${meeting.id}/participants`;
    expect((await rest(server.url, 'GET', path, { token: hostToken })).status).toBe(200);
    const url = `${server.url.replace('http', 'ws')}/signaling/${meeting.id}`;
    const codes = [];
    for (let i = 0; i < 6; i++) codes.push((await (await SignalingClient.open(url)).closed).code);
    expect(codes).toEqual([4401, 4401, 4401, 4401, 4401, 4429]);
  } finally {
    await server.close();
  }
});

test('the public URL is in what the server tells, and only a plain Host header is', async () => {
  const server = await startTestServer({ publicUrl: 'https://meet.example/base/' });
  try {
    const { meeting } = await createMeeting(server.url);
    expect(meeting.url).toBe(`https://meet.example/base/meetings/${meeting.id}`);
    const joined = await join(server.url, meeting.id, 'Ann');
    expect(joined.signalingUrl).toBe(`wss://meet.example/base/signaling/${meeting.id}`);
    const client = await SignalingClient.open(
      `${server.url.replace('http', 'ws')}/signaling/${meeting.id}`,
      joined.token,
    );
    expect((await client.state()).meeting?.url).toBe(meeting.url);
    await client.leave();
  } finally {
    await server.close();
  }
});

test('participants are listed while they are there', async () => {
  const server = await startTestServer();
  try {
    const { meeting, hostToken: token } = await createMeeting(server.url);
    const { client } = await connect(server.url, meeting.id, 'Ann');
    const list = () => rest(server.url, 'GET', `/meetings/${meeting.id}/participants`, { token });
    expect((await list()).body).toMatchObject({ participants: [{ name: 'Ann', state: 'joined' }] });
    await client.leave();
    expect((await list()).body).toEqual({ participants: [] });
  } finally {
    await server.close();
  }
});
