import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { platform } from 'node:process';
import { expect, test } from 'vitest';
import { SocketDrops } from '../../../src/load/driver/socket-drops.ts';

test.skipIf(platform !== 'linux')(
  'counts what the kernel drops in front of a socket that is not read',
  async () => {
    const drops = new SocketDrops();
    const before = await drops.read();
    const socket = createSocket('udp4');
    const sender = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    socket.setRecvBufferSize(4_096);
    const { port } = socket.address();
    let sent = 0;
    const count = 500;
    await new Promise<void>((resolve) => {
      // All go out in one turn of the event loop, in which nobody reads.
      for (let i = 0; i < count; i += 1) {
        sender.send(Buffer.alloc(500), port, '127.0.0.1', () => {
          sent += 1;
          if (sent === count) resolve();
        });
      }
    });
    let received = 0;
    socket.on('message', () => {
      received += 1;
    });
    const after = await drops.read();
    const dropped = after - before;
    expect(dropped).toBeGreaterThan(count / 2);
    // Those that were kept were kept in the buffer.
    while (received < count - dropped) await once(socket, 'message');
    sender.close();
    socket.close();
    // They are counted on when the socket is gone.
    expect(await drops.read()).toBe(after);
  },
);
