import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { SignalingClient } from '../../../src/client/signaling/client.ts';

/** A server that speaks the protocol as far as a test tells it to. */
class Script {
  readonly server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  readonly received: { type: string; id?: number; payload: unknown }[] = [];
  tokens: (string | undefined)[] = [];
  resumed = true;
  onMessage: (socket: WebSocket, message: { type: string; id?: number }) => void = (socket, { id }) => {
    socket.send(JSON.stringify({ type: 'ok', id, payload: {} }));
  };

  constructor() {
    this.server.on('connection', (socket, request) => {
      this.tokens.push(request.headers.authorization);
      socket.send(
        JSON.stringify({
          type: 'state-update',
          payload: {
            version: 1,
            full: true,
            self: { participantId: 'me', resumed: this.resumed },
            participants: [],
          },
        }),
      );
      socket.on('message', (data) => {
        const message = JSON.parse(String(data));
        this.received.push(message);
        this.onMessage(socket, message);
      });
    });
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.server.address() as AddressInfo).port}/signaling/x`;
  }

  each(act: (socket: WebSocket) => void): void {
    for (const socket of this.server.clients) act(socket);
  }
}

const open: { close(): void }[] = [];
afterEach(() => {
  for (const thing of open.splice(0)) thing.close();
});

async function start() {
  const script = new Script();
  await once(script.server, 'listening');
  const client = new SignalingClient({ url: script.url, token: 'first', reconnectTimeoutMs: 5_000 });
  open.push(client, script.server);
  return { script, client };
}

describe('SignalingClient', () => {
  test('matches replies by id, in whatever order they come', async () => {
    const { script, client } = await start();
    const held: (() => void)[] = [];
    script.onMessage = (socket, { id, type }) => {
      held.push(() =>
        socket.send(JSON.stringify({ type: 'error', id, payload: { code: 'bad-sdp', message: type } })),
      );
      if (held.length === 2) for (const reply of held.reverse()) reply();
    };
    await client.connect();
    const [first, second] = await Promise.allSettled([
      client.request('ping', {}),
      client.request('leave', {}),
    ]);
    expect(first).toMatchObject({ reason: { code: 'bad-sdp', message: 'ping' } });
    expect(second).toMatchObject({ reason: { code: 'bad-sdp', message: 'leave' } });
  });

  test('after a drop it connects with the newest token and sends open requests again with their ids', async () => {
    const { script, client } = await start();
    let dropped = false;
    script.onMessage = (socket, { id }) => {
      if (!dropped) {
        dropped = true;
        socket.send(
          JSON.stringify({
            type: 'state-update',
            payload: { version: 2, token: { token: 'second', expiresAt: 1 } },
          }),
          () => socket.terminate(),
        );
      } else socket.send(JSON.stringify({ type: 'ok', id, payload: {} }));
    };
    const downs: number[] = [];
    client.on('down', ({ attempt }) => downs.push(attempt));
    const up = once(client, 'up');
    await client.connect();
    await expect(client.request('ping', {})).resolves.toMatchObject({ type: 'ok', id: 1 });
    expect(await up).toEqual([{ resumed: true }]);
    expect(downs[0]).toBe(1);
    expect(script.received.map(({ id }) => id)).toEqual([1, 1]);
    expect(script.tokens).toEqual(['Bearer first', 'Bearer second']);
  });

  test('a server that has forgotten the session fails what was open', async () => {
    const { script, client } = await start();
    script.onMessage = (socket) => {
      script.resumed = false;
      socket.terminate();
    };
    const up = once(client, 'up');
    await client.connect();
    await expect(client.request('ping', {})).rejects.toMatchObject({ code: 'connection-failed' });
    expect(await up).toEqual([{ resumed: false }]);
  });

  test.each([
    [4410, 'ended'],
    [4403, 'removed'],
  ])('close code %i with bye "%s" ends it', async (code, reason) => {
    const { script, client } = await start();
    const end = once(client, 'end');
    await client.connect();
    const pending = client.request('ping', {}).catch((error) => error);
    script.onMessage = () => {};
    script.each((socket) => {
      socket.send(JSON.stringify({ type: 'bye', payload: { reason, message: 'It is over.' } }));
      socket.close(code);
    });
    expect(await end).toMatchObject([{ code, bye: reason }]);
    await pending;
    await expect(client.request('ping', {})).rejects.toMatchObject({ code: 'server-unreachable' });
  });

  test('a refused token is an error of the first connect', async () => {
    const script = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(script, 'listening');
    script.on('connection', (socket) => {
      socket.send(JSON.stringify({ type: 'error', payload: { code: 'token-expired', message: 'Too old.' } }));
      socket.close(4401);
    });
    const url = `ws://127.0.0.1:${(script.address() as AddressInfo).port}/`;
    const client = new SignalingClient({ url, token: 'x', reconnectTimeoutMs: 1_000 });
    open.push(client, script);
    await expect(client.connect()).rejects.toMatchObject({ code: 'token-expired', message: 'Too old.' });
  });

  test('a message that does not fit the protocol ends it: the two sides do not speak the same', async () => {
    const { script, client } = await start();
    await client.connect();
    const up = once(client, 'up');
    const end = once(client, 'end');
    script.each((socket) => socket.send('{"type":"offer","payload":{}}'));
    expect(await Promise.race([up, end])).toMatchObject([{ code: 4400 }]);
  });

  test('it gives up after the time it was given', async () => {
    const script = new Script();
    await once(script.server, 'listening');
    const client = new SignalingClient({ url: script.url, token: 'x', reconnectTimeoutMs: 300 });
    open.push(client, script.server);
    await client.connect();
    const end = once(client, 'end');
    script.server.close();
    script.each((socket) => socket.terminate());
    expect(await end).toMatchObject([{ code: 1006, error: { code: 'server-unreachable' } }]);
  });
});
