/** Lends a machine to runs that are driven from elsewhere: each connection is one driver process here. */
import type { ChildProcess } from 'node:child_process';
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { MeetError } from '../../protocol/errors.ts';
import { localLine } from './local.ts';
import type { Order } from './protocol.ts';

/** Orders and reports of a driver with a thousand bots are some kilobytes. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
/** A coordinator that is gone without a word is noticed after two of these, milliseconds. */
const PING_MS = 5_000;

export interface AgentOptions {
  readonly host: string;
  readonly port: number;
  /** Whoever does not know it is refused: an agent sends traffic wherever it is told to. */
  readonly secret: string;
  /** Drivers that a run gets here unless it says otherwise. */
  readonly cores: number;
  /** Starts a driver process with an IPC channel. */
  readonly spawn: () => ChildProcess;
  readonly onDrivers?: (count: number) => void;
}

export interface Agent {
  readonly port: number;
  /** Ends all drivers and takes no more. */
  close(): Promise<void>;
}

/** @throws MeetError `port-in-use`, `no-permission`, `bad-config` */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { host, port, secret, cores } = options;
  const expected = digest(`Bearer ${secret}`);
  const isKnown = ({ headers }: IncomingMessage) =>
    timingSafeEqual(digest(headers.authorization ?? ''), expected);
  const http = createServer((request, response) => answer(request, response, isKnown(request), cores));
  const sockets = new WebSocketServer({
    server: http,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
  });
  const drivers = new Set<Promise<void>>();
  sockets.on('connection', (socket, request) => {
    if (!isKnown(request)) {
      socket.close(4401, 'wrong secret');
      return;
    }
    const driven = drive(socket, options).finally(() => {
      drivers.delete(driven);
      options.onDrivers?.(drivers.size);
    });
    drivers.add(driven);
    options.onDrivers?.(drivers.size);
  });
  await listen(http, host, port);
  return {
    port: (http.address() as AddressInfo).port,
    close: async () => {
      for (const socket of sockets.clients) socket.terminate();
      await Promise.all(drivers);
      sockets.close();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

function answer(request: IncomingMessage, response: ServerResponse, known: boolean, cores: number): void {
  const [status, body] = known ? [200, { agent: 'meet', cores }] : [401, { error: 'wrong secret' }];
  request.resume();
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** Passes messages between a coordinator and a driver of ours until one of them ends. */
async function drive(socket: WebSocket, { spawn }: AgentOptions): Promise<void> {
  const line = localLine(spawn(), 'driver');
  const over = Promise.withResolvers<void>();
  let alive = true;
  const ping = setInterval(() => {
    if (!alive) socket.terminate();
    alive = false;
    socket.ping();
  }, PING_MS);
  socket.on('pong', () => {
    alive = true;
  });
  socket.on('error', () => {}); // 'close' follows.
  socket.on('message', (data) => {
    alive = true;
    try {
      line.send(JSON.parse(String(data)) as Order);
    } catch {
      socket.terminate();
    }
  });
  socket.on('close', () => over.resolve());
  line.onReport((report) => socket.send(JSON.stringify(report)));
  line.onClosed((reason) => {
    socket.close(1011, reason.slice(0, 100));
    over.resolve();
  });
  await over.promise;
  clearInterval(ping);
  await line.close();
}

async function listen(http: ReturnType<typeof createServer>, host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    http.once('error', (cause: NodeJS.ErrnoException) => reject(listenError(cause, host, port)));
    http.listen(port, host, resolve);
  });
}

function listenError(cause: NodeJS.ErrnoException, host: string, port: number): MeetError {
  if (cause.code === 'EADDRINUSE')
    return new MeetError('port-in-use', `Port ${port} is taken by another process.`, { cause });
  if (cause.code === 'EACCES')
    return new MeetError('no-permission', `This user may not listen on port ${port}.`, { cause });
  return new MeetError('bad-config', `The agent cannot listen on ${host} (${cause.code}).`, { cause });
}
