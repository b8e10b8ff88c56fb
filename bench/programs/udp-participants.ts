/** The packets of synthetic sources over plain UDP sockets: what participants send, without a meeting. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { answer } from '../harness/program.ts';
import { type SyntheticOptions, SyntheticSource, sharedClockMs, stampOf } from './synthetic-source.ts';

export interface UdpJoinRequest {
  /** Of the forwarder on loopback. */
  readonly port: number;
  readonly count: number;
  /** Of so many the sound is sent, of all of them the video. */
  readonly voices: number;
  readonly source: SyntheticOptions;
}

/** What RTP, SRTP and the header extensions add to a payload. */
const OVERHEAD_BYTES = 44;
const BUFFER_BYTES = 2 * 1024 * 1024;

const sockets: Socket[] = [];
const sources: SyntheticSource[] = [];
let samples: number[] | undefined;

async function join(port: number, options: SyntheticOptions): Promise<void> {
  const socket = createSocket('udp4');
  socket.on('message', (packet) => samples?.push(sharedClockMs() - stampOf(packet)));
  socket.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.setRecvBufferSize(BUFFER_BYTES);
  const source = new SyntheticSource(options);
  const overhead = Buffer.alloc(OVERHEAD_BYTES);
  source.start({
    frame: ({ data }) => socket.send([data, overhead]),
    ended: () => {},
    failed: () => {},
  });
  sockets.push(socket);
  sources.push(source);
}

const requests = {
  join: async ({ port, count, voices, source }: UdpJoinRequest): Promise<void> => {
    for (let i = 0; i < count; i += 1) await join(port, i < voices ? source : { ...source, audioRate: 0 });
  },
  /** From the making of each packet to its arrival at the socket here, milliseconds. */
  measureLatency: async ({ ms }: { ms: number }): Promise<Float64Array> => {
    const collected: number[] = [];
    samples = collected;
    await new Promise((resolve) => setTimeout(resolve, ms));
    samples = undefined;
    return Float64Array.from(collected);
  },
};

export type UdpParticipantRequests = typeof requests;

answer(requests, async () => {
  await Promise.all(sources.map((source) => source.close()));
  for (const socket of sockets) socket.close();
});
