/** Sixty who send all the time, talking or not: more than this process looks at. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import * as mediasoup from 'mediasoup';
import type { Consumer, Producer, Router, Worker } from 'mediasoup/types';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { RoomAudio } from '../../../../src/server/sfu/audio/room-audio.ts';
import { BUDGET_PACKETS_PER_SECOND } from '../../../../src/server/sfu/audio/tap-budget.ts';
import { MEDIA_CODECS } from '../../../../src/server/sfu/codecs.ts';
import type { Track } from '../../../../src/server/sfu/route.ts';
import { workerBin } from '../../../support/worker.ts';
import { silentLogger } from '../harness.ts';

const CROWD = 60;
const PACKETS_PER_SECOND = 50;
const LEVEL_ID = 6;
const SILENT = 127;

let worker: Worker;
let router: Router;
let socket: Socket;
let timer: NodeJS.Timeout;
const tracks: Track[] = [];
/** −dBov of each. */
const levels = Array<number>(CROWD).fill(SILENT);

beforeAll(async () => {
  worker = await mediasoup.createWorker({ workerBin: workerBin(), logLevel: 'error' });
  router = await worker.createRouter({ mediaCodecs: [...MEDIA_CODECS] });
  const transport = await router.createPlainTransport({
    listenInfo: { protocol: 'udp', ip: '127.0.0.1' },
    rtcpMux: true,
    comedia: true,
  });
  for (let i = 0; i < CROWD; i++) {
    const producer: Producer = await transport.produce({
      kind: 'audio',
      rtpParameters: {
        codecs: [{ mimeType: 'audio/opus', payloadType: 111, clockRate: 48_000, channels: 2 }],
        headerExtensions: [{ uri: 'urn:ietf:params:rtp-hdrext:ssrc-audio-level', id: LEVEL_ID }],
        encodings: [{ ssrc: 1_000 + i }],
      },
    });
    tracks.push({ id: producer.id, peerId: `p${i}`, kind: 'audio', source: 'microphone', producer });
  }
  socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const began = performance.now();
  let sent = 0;
  timer = setInterval(() => {
    const due = ((performance.now() - began) / 1000) * PACKETS_PER_SECOND * CROWD;
    for (; sent < due; sent++) {
      socket.send(packet(sent % CROWD, Math.floor(sent / CROWD)), transport.tuple.localPort, '127.0.0.1');
    }
  }, 5);
});
afterAll(() => {
  clearInterval(timer);
  socket.close();
  worker.close();
});

function packet(index: number, sequence: number): Buffer {
  const bytes = Buffer.alloc(60, 1);
  bytes.writeUInt16BE(0x906f, 0);
  bytes.writeUInt16BE(sequence & 0xffff, 2);
  bytes.writeUInt32BE((sequence * 960) >>> 0, 4);
  bytes.writeUInt32BE(1_000 + index, 8);
  bytes.writeUInt32BE(0xbede_0001, 12);
  bytes.writeUInt32BE(((LEVEL_ID << 28) | (levels[index]! << 16)) >>> 0, 16);
  return bytes;
}

test('those who are silent are left to the worker, and found there when they talk', async () => {
  const taps = new Map<string, Consumer>();
  router.observer.on('newtransport', (transport) => {
    transport.observer.on('newconsumer', (consumer) => taps.set(consumer.producerId, consumer));
  });
  const audio = new RoomAudio(silentLogger);
  audio.place(router);
  audio.update(tracks);
  const running = () => [...taps.values()].filter(({ paused }) => !paused).length;
  await vi.waitUntil(() => taps.size === CROWD);
  const budget = BUDGET_PACKETS_PER_SECOND / PACKETS_PER_SECOND;
  // The rates are measured on a busy machine, so give or take a few.
  await vi.waitUntil(() => running() < budget * 1.25, { timeout: 15_000 });
  expect(running()).toBeGreaterThan(budget * 0.5);

  const parked = tracks.findIndex(({ id }) => taps.get(id)!.paused);
  const began = performance.now();
  const heard = once(audio, 'slots');
  levels[parked] = 30;
  expect(await heard).toMatchObject([[{ participantId: `p${parked}`, trackId: tracks[parked]!.id }]]);
  expect(performance.now() - began).toBeLessThan(2_000);
  // One who is looked at is heard with his first packet.
  const looked = tracks.findIndex(({ id }, index) => index !== parked && !taps.get(id)!.paused);
  const next = once(audio, 'slots');
  levels[looked] = 30;
  expect(await next).toMatchObject([[{ participantId: `p${looked}` }]]);
  await vi.waitUntil(() => audio.speakers.length === 2, { timeout: 10_000 });
  expect([...audio.speakers].sort()).toEqual([`p${parked}`, `p${looked}`].sort());
  audio.displace();
  expect([...taps.values()].every(({ closed }) => closed)).toBe(true);
});
