/** Media through a real coturn with the credentials that the server mints. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createMeeting } from '../../src/client/api.ts';
import { joinMeeting } from '../../src/client/join.ts';
import { openFile } from '../../src/media/file/open.ts';
import { barcodeClip } from '../support/barcode-clip.ts';
import { receiveFrames } from '../support/frames.ts';
import { mediaCacheDir } from '../support/media-cache.ts';
import { startTestServer } from '../support/server.ts';
import { connect } from '../support/signaling.ts';
import { startTurn, type TestTurn, turnMissing } from '../support/turn.ts';

describe.skipIf(turnMissing !== undefined)(`through coturn ${turnMissing ?? ''}`, () => {
  let turn: TestTurn;
  /** Takes requests and never answers, as a TURN server behind a firewall does. */
  let silent: Socket;
  let silentPort: number;
  let clip: string;

  beforeAll(async () => {
    silent = createSocket('udp4').bind(0, '127.0.0.1');
    [turn, clip] = await Promise.all([startTurn(), barcodeClip({ seconds: 10 }), once(silent, 'listening')]);
    silentPort = (silent.address() as AddressInfo).port;
  }, 120_000);
  afterAll(async () => {
    silent?.close();
    await turn?.stop();
  });

  async function relayed(meeting: string, displayName: string, withSource: boolean) {
    const source = withSource
      ? { source: await openFile({ video: clip, cacheDir: mediaCacheDir(), loop: true }) }
      : {};
    return joinMeeting({ meeting, displayName, iceTransportPolicy: 'relay', ...source });
  }

  test.each([
    ['over UDP', () => [`turn:127.0.0.1:${turn.port}`]],
    ['over TCP', () => [`turn:127.0.0.1:${turn.port}?transport=tcp`]],
    ['when the first server refuses', () => ['turn:127.0.0.1:9', `turn:127.0.0.1:${turn.port}`]],
    [
      'when the first server is silent',
      () => [`turn:127.0.0.1:${silentPort}`, `turn:127.0.0.1:${turn.port}`],
    ],
  ])(
    'participants who may only relay send and receive, %s',
    async (_what, turnUrls) => {
      const server = await startTestServer({ turnUrls: turnUrls(), turnSecret: turn.secret });
      try {
        const { meeting } = await createMeeting(server.url, {});
        const ann = await relayed(meeting.url, 'Ann', true);
        const bob = await relayed(meeting.url, 'Bob', true);
        await Promise.all(
          [ann, bob].flatMap((client) => [
            receiveFrames(client, 'video', 30),
            receiveFrames(client, 'audio', 30),
          ]),
        );
        // coturn names the user of each allocation: the credentials are each participant's own.
        for (const client of [ann, bob]) {
          await turn.logged(new RegExp(`user <\\d+:${client.self.id}>.*ALLOCATE processed, success`));
        }
        await Promise.all([ann.leave(), bob.leave()]);
      } finally {
        await server.close();
      }
    },
    60_000,
  );

  test('credentials end, and fresh ones come with a fresh token', async () => {
    const server = await startTestServer({
      turnUrls: [`turn:127.0.0.1:${turn.port}`],
      turnSecret: turn.secret,
      turnTtlSeconds: 60,
      tokenTtlMs: 2_000,
    });
    try {
      const { meeting } = await createMeeting(server.url, {});
      const { client, joined } = await connect(server.url, meeting.id, 'Ann');
      const [first] = joined.iceServers;
      const expiry = Number(first?.username?.split(':')[0]);
      expect(expiry - Date.now() / 1000).toBeGreaterThan(55);
      expect(expiry - Date.now() / 1000).toBeLessThanOrEqual(61);
      const fresh = await client.state((update) => update.token !== undefined);
      expect(fresh.iceServers).toMatchObject([
        { urls: first?.urls, username: expect.stringMatching(`^\\d+:${joined.participant.id}$`) },
      ]);
      expect(Number(fresh.iceServers?.[0]?.username?.split(':')[0])).toBeGreaterThanOrEqual(expiry + 1);
      await client.leave();
    } finally {
      await server.close();
    }
  });

  test('a wrong secret gives a sentence', async () => {
    const server = await startTestServer({
      turnUrls: [`turn:127.0.0.1:${turn.port}`],
      turnSecret: 'not that of the TURN server',
    });
    try {
      const { meeting } = await createMeeting(server.url, {});
      const client = await joinMeeting({
        meeting: meeting.url,
        displayName: 'Ann',
        iceTransportPolicy: 'relay',
        source: await openFile({ video: clip, cacheDir: mediaCacheDir() }),
        reconnectTimeoutMs: 100,
      });
      await expect(client.whenConnected()).rejects.toMatchObject({
        code: 'connection-failed',
        message: expect.stringContaining('No TURN server gave a relay'),
      });
    } finally {
      await server.close();
    }
  });
});
