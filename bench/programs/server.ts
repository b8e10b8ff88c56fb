/** A meeting server in a process of its own, with the means to look into it. */
import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import pino from 'pino';
import { createMeeting } from '../../src/client/index.ts';
import type { ServerOptions } from '../../src/server/config.ts';
import { type RunningServer, startServer } from '../../src/server/server.ts';
import { answer } from '../harness/program.ts';

let running: RunningServer | undefined;
/** When `POST …/join` requests and connections of any kind came, milliseconds since the epoch. */
let arrivals: { requests: number[]; connections: number[] } = { requests: [], connections: [] };

const nowMs = () => performance.timeOrigin + performance.now();

subscribe('http.server.request.start', (message) => {
  const { request } = message as { request: IncomingMessage };
  if (request.method === 'POST' && request.url?.endsWith('/join')) arrivals.requests.push(nowMs());
});
subscribe('net.server.socket', () => {
  arrivals.connections.push(nowMs());
});

function server(): RunningServer {
  if (running === undefined) throw new Error('The server is not started');
  return running;
}

const requests = {
  start: async (options: ServerOptions): Promise<{ url: string }> => {
    running = await startServer(options, { logger: pino({ level: 'fatal' }, pino.destination(2)) });
    return { url: running.url };
  },
  /** Made here because nobody else may be on the server's network. */
  createMeeting: async (): Promise<string> =>
    (await createMeeting(server().url, { title: 'Benchmark' })).meeting.url,
  workerPids: async (): Promise<number[]> => (await server().sfu.resourceUsage()).map(({ pid }) => pid),
  takeArrivals: (): typeof arrivals => {
    const taken = arrivals;
    arrivals = { requests: [], connections: [] };
    return taken;
  },
};

export type ServerRequests = typeof requests;

answer(requests, () => running?.close({ reason: 'measured' }));
