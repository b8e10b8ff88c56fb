/** What a whole client process pays for each packet, against stock werift doing the same. */
import type { Benchmark, Figure, Say } from './harness/figure.ts';
import { Program } from './harness/program.ts';
import { type MeasuredServer, startMeasuredServer } from './harness/server.ts';
import type { ParticipantRequests } from './programs/participants.ts';
import type { SyntheticOptions } from './programs/synthetic-source.ts';
import type { WeriftReceiveRequest, WeriftRequests } from './programs/werift-participant.ts';

const WINDOW_MS = 5_000;
/** Time for the code to be compiled. */
const SETTLE_MS = 3_000;
const JOIN_TIMEOUT_MS = 30_000;
/** Some that stock werift sends to never get a picture; the figure of that run is the cost of sending. */
const WERIFT_SHARE = 0.5;

/** Meetings of one who sends and one who receives; all who send are one process, all who receive another. */
const MEETINGS = 20;
/** Pictures a second, each of five packets of 1,200 bytes on the wire: 0.9 Mbit/s. */
const RATE = 20;
const PACKETS_A_PICTURE = 5;
const PAYLOAD_BYTES = 1_130;
const PACKETS_A_SECOND = MEETINGS * RATE * PACKETS_A_PICTURE;

const SOURCE: SyntheticOptions = {
  audioRate: 0,
  audioBytes: 0,
  videoRate: RATE,
  videoBytes: PACKETS_A_PICTURE * PAYLOAD_BYTES,
};

export const clientCpu: Benchmark = {
  name: 'client-cpu',
  title:
    `CPU of a whole client process for each packet of 1,200 bytes, ${MEETINGS} participants, ` +
    `${PACKETS_A_SECOND} packets a second`,
  run: async (say) => {
    const server = await startMeasuredServer();
    try {
      const ours = await measure(server, say, 'ours', ourSender, ourReceiver(1));
      const sender = await measure(server, say, 'werift sends', weriftSender, ourReceiver(WERIFT_SHARE));
      const srtp = await measure(server, say, 'werift receives', ourSender, weriftReceiver('srtp'));
      const receiver = await measure(
        server,
        say,
        'werift receives tracks',
        ourSender,
        weriftReceiver('receiver'),
      );
      const cost = (name: string, value: number): Figure => ({ name, value, unit: 'µs/packet' });
      const ratio = (name: string, value: number): Figure => ({ name, value, unit: '×' });
      return [
        cost('sent', ours.sent),
        cost('sent, werift RTCRtpSender', sender.sent),
        ratio('sent, ratio', ours.sent / sender.sent),
        cost('received', ours.received),
        cost('received, werift SRTP only', srtp.received),
        cost('received, werift RTCRtpReceiver', receiver.received),
        ratio('received, ratio to SRTP only', ours.received / srtp.received),
        ratio('received, ratio to RTCRtpReceiver', ours.received / receiver.received),
      ];
    } finally {
      await server.close();
    }
  },
};

/** A process at work, and how to read what it did. */
interface Side {
  readonly program: { close(): Promise<void> };
  readonly read: () => Promise<{ readonly packets: number; readonly cpuUs: number }>;
}

type Begin = (meetings: readonly string[]) => Promise<Side>;

/** Microseconds of CPU for each packet, of the side that sends and of the one that receives. */
async function measure(
  server: MeasuredServer,
  say: Say,
  what: string,
  beginSending: Begin,
  beginReceiving: Begin,
): Promise<{ sent: number; received: number }> {
  say(what);
  const named = (error: unknown): never => {
    throw new Error(`${what}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  };
  const meetings: string[] = [];
  while (meetings.length < MEETINGS) meetings.push(await server.newMeeting());
  const sending = await beginSending(meetings).catch(named);
  const sides = [sending];
  try {
    const receiving = await beginReceiving(meetings).catch(named);
    sides.push(receiving);
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    const before = await Promise.all(sides.map((side) => side.read()));
    await new Promise((resolve) => setTimeout(resolve, WINDOW_MS));
    const after = await Promise.all(sides.map((side) => side.read()));
    const [sent, received] = after.map(({ packets, cpuUs }, side) => {
      const counted = packets - before[side]!.packets;
      // On a busy machine participants hold video back, as they do on a narrow path.
      if (counted < (PACKETS_A_SECOND * WINDOW_MS) / 1000 / 4)
        throw new Error(`${what}: only ${counted} packets ${side === 0 ? 'sent' : 'received'}`);
      return (cpuUs - before[side]!.cpuUs) / counted;
    });
    return { sent: sent!, received: received! };
  } finally {
    await Promise.all(sides.map(({ program }) => program.close()));
  }
}

const ourSender: Begin = async (meeting) => {
  const program = new Program<ParticipantRequests>('participants');
  await program.ask('join', { meeting, count: MEETINGS, source: { synthetic: SOURCE }, receive: 'none' });
  const read = async () => {
    const { sent: packets, cpuUs } = await program.ask('counters');
    return { packets, cpuUs };
  };
  return { program, read };
};

const ourReceiver =
  (share: number): Begin =>
  async (meeting) => {
    const program = new Program<ParticipantRequests>('participants');
    await program.ask('join', { meeting, count: MEETINGS, receive: 'all' });
    await program.ask('untilReceiving', { videos: 1, timeoutMs: JOIN_TIMEOUT_MS, share });
    const read = async () => {
      const { received: packets, cpuUs } = await program.ask('counters');
      return { packets, cpuUs };
    };
    return { program, read };
  };

const weriftSender: Begin = async (meetings) => {
  const program = new Program<WeriftRequests>('werift-participant');
  const burst = { rate: RATE, packetsABurst: PACKETS_A_PICTURE, bytes: PAYLOAD_BYTES };
  await program.ask('send', { meetings, ...burst });
  return { program, read: () => program.ask('counters') };
};

function weriftReceiver(depth: WeriftReceiveRequest['depth']): Begin {
  return async (meetings) => {
    const program = new Program<WeriftRequests>('werift-participant');
    await program.ask('receive', { meetings, depth });
    return { program, read: () => program.ask('counters') };
  };
}
