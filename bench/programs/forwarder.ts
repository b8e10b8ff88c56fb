/** Sends every UDP packet on to everybody else who ever sent one: an SFU without anything an SFU does. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { answer } from '../harness/program.ts';

const BUFFER_BYTES = 4 * 1024 * 1024;

const socket = createSocket('udp4');
const known = new Map<number, string>();

socket.on('message', (packet, { address, port }) => {
  known.set(port, address);
  for (const [otherPort, otherAddress] of known) {
    if (otherPort !== port) socket.send(packet, otherPort, otherAddress);
  }
});

const requests = {
  start: async (): Promise<{ port: number }> => {
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    socket.setRecvBufferSize(BUFFER_BYTES);
    socket.setSendBufferSize(BUFFER_BYTES);
    return { port: socket.address().port };
  },
};

export type ForwarderRequests = typeof requests;

answer(requests, () => {
  socket.close();
});
