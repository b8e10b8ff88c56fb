import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import pino from 'pino';
import { expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { Connection, MAX_BUFFERED_BYTES } from '../../../src/server/signaling/connection.ts';

const timings = { heartbeatIntervalMs: 60_000, heartbeatTimeoutMs: 60_000, resumeWindowMs: 0 };

test('a client that does not read is dropped before it fills the memory', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', closeTimeout: 200 } as { port: number });
  await once(server, 'listening');
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  client.on('error', () => {});
  try {
    const [socket] = (await once(server, 'connection')) as [WebSocket];
    await once(client, 'open');
    client.pause();
    const connection = new Connection(socket, { timings, logger: pino({ level: 'silent' }) });
    const closed = once(connection, 'closed');
    const text = 'x'.repeat(256 * 1024);
    let sent = 0;
    // The kernel's buffers come on top of ours.
    while (!connection.closed && sent < 400) {
      void connection.sendText(text);
      sent++;
    }
    const [{ code }] = (await closed) as [{ code: number }];
    expect(code).toBe(4408);
    expect(socket.bufferedAmount).toBeLessThan(MAX_BUFFERED_BYTES + 2 * text.length);
    // The closing handshake cannot get through either; the socket is cut all the same.
    if (socket.readyState !== socket.CLOSED) await once(socket, 'close');
  } finally {
    client.terminate();
    server.close();
  }
});
