/** What a whole client process pays for each packet, against stock werift doing the same. */
import type { Benchmark, Figure, Say } from './harness/figure.ts';
import { Program } from './harness/program.ts';
import { type MeasuredServer, startMeasuredServer } from './harness/server.ts';
import type { ParticipantRequests } from './programs/participants.ts';
import type { SyntheticOptions } from './programs/synthetic-source.ts';
import type { WeriftRequests } from './programs/werift-participant.ts';

const WINDOW_MS = 5_000;
const SETTLE_MS = 1_000;
const JOIN_TIMEOUT_MS = 20_000;

/** 200 bursts of ten packets of 1,200 bytes on the wire: 19 Mbit/s. */
const RATE = 200;
const PACKETS_A_BURST = 10;
const PAYLOAD_BYTES = 1_140;
const SOURCE: SyntheticOptions = {
  audioRate: 0,
  audioBytes: 0,
  videoRate: RATE,
  videoBytes: PACKETS_A_BURST * PAYLOAD_BYTES,
};

export const clientCpu: Benchmark = {
  name: 'client-cpu',
  title: `CPU of a whole client process for each packet of 1,200 bytes, ${RATE * PACKETS_A_BURST} a second`,
  run: async (say) => {
    const server = await startMeasuredServer();
    try {
      const sending = await measure(say, 'sending', () => send(server));
      const stockSending = await measure(say, 'sending with stock werift', () => sendWithWerift(server));
      const receiving = await measure(say, 'receiving', () => receive(server));
      const stockSrtp = await measure(say, 'receiving with stock werift', () =>
        receiveWithWerift(server, 'srtp'),
      );
      const stockReceiving = await measure(say, 'receiving with its RTP receiver', () =>
        receiveWithWerift(server, 'receiver'),
      );
      const cost = (name: string, value: number): Figure => ({ name, value, unit: 'µs/packet' });
      const ratio = (name: string, value: number): Figure => ({ name, value, unit: '×' });
      return [
        cost('sent', sending),
        cost('sent, werift RTCRtpSender', stockSending),
        ratio('sent, ratio', sending / stockSending),
        cost('received', receiving),
        cost('received, werift SRTP only', stockSrtp),
        cost('received, werift RTCRtpReceiver', stockReceiving),
        ratio('received, ratio to SRTP only', receiving / stockSrtp),
        ratio('received, ratio to RTCRtpReceiver', receiving / stockReceiving),
      ];
    } finally {
      await server.close();
    }
  },
};

/** Programs that are at work, and how to read what they did. */
interface Scene {
  readonly programs: readonly { close(): Promise<void> }[];
  readonly read: () => Promise<{ readonly packets: number; readonly cpuUs: number }>;
}

async function measure(say: Say, what: string, begin: () => Promise<Scene>): Promise<number> {
  say(what);
  const { programs, read } = await begin();
  try {
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    const before = await read();
    await new Promise((resolve) => setTimeout(resolve, WINDOW_MS));
    const after = await read();
    const packets = after.packets - before.packets;
    if (packets < (RATE * PACKETS_A_BURST * WINDOW_MS) / 2000)
      throw new Error(`Only ${packets} packets while ${what}`);
    return (after.cpuUs - before.cpuUs) / packets;
  } finally {
    await Promise.all(programs.map((program) => program.close()));
  }
}

async function send(server: MeasuredServer): Promise<Scene> {
  const program = new Program<ParticipantRequests>('participants');
  const meeting = await server.newMeeting();
  await program.ask('join', { meeting, count: 1, source: { synthetic: SOURCE }, receive: 'none' });
  const read = async () => {
    const { sent: packets, cpuUs } = await program.ask('counters');
    return { packets, cpuUs };
  };
  return { programs: [program], read };
}

async function sendWithWerift(server: MeasuredServer): Promise<Scene> {
  const program = new Program<WeriftRequests>('werift-participant');
  const meeting = await server.newMeeting();
  await program.ask('send', { meeting, rate: RATE, packetsABurst: PACKETS_A_BURST, bytes: PAYLOAD_BYTES });
  return { programs: [program], read: () => program.ask('counters') };
}

async function receive(server: MeasuredServer): Promise<Scene> {
  const { programs, meeting } = await sender(server);
  const program = new Program<ParticipantRequests>('participants');
  await program.ask('join', { meeting, count: 1, receive: 'all' });
  await program.ask('untilReceiving', { tracks: 1, timeoutMs: JOIN_TIMEOUT_MS });
  const read = async () => {
    const { received: packets, cpuUs } = await program.ask('counters');
    return { packets, cpuUs };
  };
  return { programs: [program, ...programs], read };
}

async function receiveWithWerift(server: MeasuredServer, depth: 'srtp' | 'receiver'): Promise<Scene> {
  const { programs, meeting } = await sender(server);
  const program = new Program<WeriftRequests>('werift-participant');
  await program.ask('receive', { meeting, depth });
  return { programs: [program, ...programs], read: () => program.ask('counters') };
}

async function sender(server: MeasuredServer) {
  const meeting = await server.newMeeting();
  const program = new Program<ParticipantRequests>('participants');
  await program.ask('join', { meeting, count: 1, source: { synthetic: SOURCE }, receive: 'none' });
  return { programs: [program], meeting };
}
