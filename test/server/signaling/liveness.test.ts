import { afterEach, describe, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { connect, createMeeting, join, SignalingClient } from '../../support/signaling.ts';

let server: TestServer;
afterEach(() => server.close());

describe('heartbeat', () => {
  const timings = { heartbeatIntervalMs: 50, heartbeatTimeoutMs: 1_000, resumeWindowMs: 60_000 };

  test('a client that answers pings, or pings itself, stays', async () => {
    server = await startTestServer({ timings });
    const { meeting } = await createMeeting(server.url);
    const { client } = await connect(server.url, meeting.id, 'Ann');
    let pings = 0;
    const manyPings = new Promise<void>((resolve) => {
      // Twice the timeout.
      client.socket.on('ping', () => ++pings === 40 && resolve());
    });
    expect(await Promise.race([manyPings, client.closed])).toBeUndefined();
    expect((await client.request('ping')).type).toBe('ok');
    await client.leave();
  });

  test('a silent one is closed and its participant waits for it', async () => {
    server = await startTestServer({ timings });
    const { meeting } = await createMeeting(server.url);
    const watcher = await connect(server.url, meeting.id, 'Watcher');
    const { signalingUrl, token, participant } = await join(server.url, meeting.id, 'Silent');
    const silent = await SignalingClient.open(signalingUrl, token, { autoPong: false });
    const before = performance.now();
    const { code } = await silent.closed;
    expect(code).toBe(4408);
    const took = performance.now() - before;
    expect(took).toBeGreaterThan(900);
    expect(took).toBeLessThan(5_000);
    const update = await watcher.client.state(
      ({ participants }) =>
        participants?.[0]?.id === participant.id && participants[0].state === 'reconnecting',
    );
    expect(update.left).toBeUndefined();
  });
});

test('a fresh token comes at half of the life of the old one, with TURN credentials', async () => {
  server = await startTestServer({
    tokenTtlMs: 2_000,
    turnUrls: ['turn:127.0.0.1:3478?transport=udp'],
    turnSecret: 'secret',
    turnTtlSeconds: 600,
  });
  const { meeting } = await createMeeting(server.url);
  const { client, joined } = await connect(server.url, meeting.id, 'Ann');
  expect(joined.iceServers).toMatchObject([{ urls: ['turn:127.0.0.1:3478?transport=udp'] }]);
  const { token, iceServers, version } = await client.state((update) => update.token !== undefined);
  expect(version).toBeLessThanOrEqual(2);
  expect(token?.token).not.toBe(joined.token);
  expect(token?.expiresAt).toBeGreaterThan(joined.tokenExpiresAt);
  expect(iceServers?.[0]?.username).toMatch(new RegExp(`^\\d+:${joined.participant.id}$`));
  await client.state((update) => update.token !== undefined && update.token.token !== token?.token);
  await client.request('subscribe', { audio: true, video: true });
  client.cut();
  const again = await SignalingClient.open(joined.signalingUrl, token?.token);
  expect((await again.state()).self).toEqual({ participantId: joined.participant.id, resumed: true });
  await again.leave();
});
