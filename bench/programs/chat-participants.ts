/** Participants who write and read, each with a plain WebSocket: what the server takes, not what a client makes of it. */
import { once } from 'node:events';
import WebSocket from 'ws';
import { requestJoin, resolveMeeting } from '../../src/client/api.ts';
import { answer } from '../harness/program.ts';

export interface ChatLoad {
  /** Messages a second of each participant, evenly spread. */
  readonly perSecond: number;
  readonly ms: number;
  /** How long to wait for the last one, milliseconds. */
  readonly patienceMs: number;
}

export interface ChatMeasured {
  readonly sent: number;
  /** Deliveries that did not come, came twice, or came out of order. */
  readonly lost: number;
  readonly disordered: number;
  /** Milliseconds from the sending of each message to its arrival at each participant. */
  readonly delivery: Float64Array;
  /** Milliseconds from the sending of each message to the reply that it is stored. */
  readonly stored: Float64Array;
  /** How long the sending took, milliseconds. */
  readonly ms: number;
}

interface Frame {
  readonly type: string;
  readonly id?: number;
  readonly payload: {
    readonly messages?: readonly { readonly sequence: number; readonly content: string }[];
  };
}

/** As long as what people write: a sentence. */
const TEXT = ' The quick brown fox jumps over the lazy dog, and then over it again.';
const sockets: WebSocket[] = [];

async function enter(meeting: string, name: string): Promise<WebSocket> {
  const { signalingUrl, token } = await requestJoin(resolveMeeting(meeting), { displayName: name });
  const socket = new WebSocket(signalingUrl, {
    headers: { authorization: `Bearer ${token}` },
    perMessageDeflate: false,
  });
  await once(socket, 'message');
  return socket;
}

async function measure({ perSecond, ms, patienceMs }: ChatLoad): Promise<ChatMeasured> {
  const each = Math.round((perSecond * ms) / 1_000);
  const sent = each * sockets.length;
  const delivery: number[] = [];
  const stored: number[] = [];
  const came = sockets.map(() => ({ count: 0, last: 0 }));
  let disordered = 0;
  const all = Promise.withResolvers<void>();
  let missing = sent * sockets.length;
  for (const [index, socket] of sockets.entries()) {
    const sentAt = new Map<number, number>();
    const seen = came[index]!;
    socket.on('message', (data) => {
      const now = performance.now();
      const { type, id, payload } = JSON.parse(String(data)) as Frame;
      if (type === 'ok' && id !== undefined) stored.push(now - (sentAt.get(id) ?? now));
      for (const { sequence, content } of payload.messages ?? []) {
        if (sequence !== seen.last + 1) disordered += 1;
        seen.last = sequence;
        seen.count += 1;
        delivery.push(now - Number(content.slice(0, content.indexOf(' '))));
        missing -= 1;
        if (missing === 0) all.resolve();
      }
    });
    void write(socket, index, { each, perSecond, sentAt });
  }
  const startedAt = performance.now();
  await new Promise((resolve) => setTimeout(resolve, ms));
  const took = performance.now() - startedAt;
  const timer = setTimeout(() => all.resolve(), patienceMs);
  await all.promise;
  clearTimeout(timer);
  const lost = came.reduce((sum, { count }) => sum + Math.abs(sent - count), 0);
  return {
    sent,
    lost,
    disordered,
    delivery: Float64Array.from(delivery),
    stored: Float64Array.from(stored),
    ms: took,
  };
}

/** Sends in time, also after a pause of this process; the participants one after the other, not all at once. */
async function write(
  socket: WebSocket,
  index: number,
  { each, perSecond, sentAt }: { each: number; perSecond: number; sentAt: Map<number, number> },
): Promise<void> {
  const gap = 1_000 / perSecond;
  const startedAt = performance.now() + (index * gap) / sockets.length;
  for (let i = 0; i < each; i++) {
    const wait = startedAt + i * gap - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    const now = performance.now();
    sentAt.set(i + 1, now);
    const payload = { content: now + TEXT, clientId: String(i) };
    socket.send(JSON.stringify({ type: 'message', id: i + 1, payload }));
  }
}

const requests = {
  join: async ({ meeting, count }: { meeting: string; count: number }): Promise<void> => {
    for (let i = 0; i < count; i += 1) sockets.push(await enter(meeting, `Writer ${i + 1}`));
  },
  measure,
};

export type ChatParticipantRequests = typeof requests;

answer(requests, () => {
  for (const socket of sockets) socket.terminate();
});
