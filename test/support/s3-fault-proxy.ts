/** A proxy in front of an S3 that lets requests fail in the ways that networks and object stores have. */
import { once } from 'node:events';
import {
  createServer,
  request as forward,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/**
 * `lost-reply`: S3 has done it, and the connection breaks before it says so. `silence`: nothing is ever answered.
 * `wrong-etag`: S3 has got it, and calls it by another ETag. `half-reply`: the reply breaks off.
 */
export const FAULTS = [
  'InternalError',
  'SlowDown',
  'ExpiredToken',
  'RequestTimeout',
  'reset',
  'lost-reply',
  'silence',
  'wrong-etag',
  'half-reply',
] as const;
export type Fault = (typeof FAULTS)[number] | 'AccessDenied';

const STATUS = {
  AccessDenied: 403,
  InternalError: 500,
  SlowDown: 503,
  ExpiredToken: 400,
  RequestTimeout: 400,
} as const;

export interface SeenRequest {
  readonly method: string;
  /** With the query. */
  readonly url: string;
}

export interface FaultProxy {
  readonly endpoint: string;
  /** Every request that came, in its order. */
  readonly seen: readonly SeenRequest[];
  /** How often each fault was injected. */
  readonly injected: ReadonlyMap<Fault, number>;
  /** Awaited before each request is passed on. */
  before: () => Promise<void>;
  close(): Promise<void>;
}

/** @param fault says which fault a request gets, if any */
export async function startFaultProxy(
  target: string,
  fault: (request: SeenRequest) => Fault | undefined,
): Promise<FaultProxy> {
  const seen: SeenRequest[] = [];
  const injected = new Map<Fault, number>();
  const server = createServer(async (request, response) => {
    const one = { method: request.method ?? '', url: request.url ?? '' };
    seen.push(one);
    const chosen = fault(one);
    if (chosen !== undefined) injected.set(chosen, (injected.get(chosen) ?? 0) + 1);
    try {
      const body = await buffer(request);
      await answer(chosen, request, body, response);
    } catch {
      response.destroy();
    }
  });
  const answer = async (
    chosen: Fault | undefined,
    request: IncomingMessage,
    body: Buffer,
    response: ServerResponse,
  ): Promise<void> => {
    if (chosen === 'silence') return;
    if (chosen === 'reset') {
      request.socket.resetAndDestroy();
      return;
    }
    if (chosen !== undefined && chosen in STATUS) {
      const code = chosen as keyof typeof STATUS;
      response.writeHead(STATUS[code], { 'content-type': 'application/xml' });
      response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>injected</Message></Error>`);
      return;
    }
    await proxy.before();
    const reply = await pass(target, request, body);
    if (chosen === 'lost-reply') {
      request.socket.resetAndDestroy();
      return;
    }
    const headers: IncomingHttpHeaders = { ...reply.headers };
    delete headers['transfer-encoding'];
    if (chosen === 'wrong-etag' && headers.etag !== undefined)
      headers.etag = headers.etag.replace(/[0-9a-f]/g, (digit) =>
        ((Number.parseInt(digit, 16) + 1) % 16).toString(16),
      );
    response.writeHead(reply.status, headers);
    if (chosen === 'half-reply' && reply.body.length > 1) {
      response.write(reply.body.subarray(0, reply.body.length / 2));
      await new Promise(setImmediate);
      request.socket.resetAndDestroy();
      return;
    }
    response.end(reply.body);
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy: FaultProxy = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    injected,
    before: async () => {},
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  return proxy;
}

export const isPart = ({ method, url }: SeenRequest) => method === 'PUT' && url.includes('partNumber=');

/** The request goes on with its headers, since they are signed. */
async function pass(
  target: string,
  { method, url, headers }: IncomingMessage,
  body: Buffer,
): Promise<{ status: number; headers: IncomingHttpHeaders; body: Buffer }> {
  const { hostname, port } = new URL(target);
  const outgoing = forward({
    hostname,
    port,
    path: url,
    method,
    headers: { ...headers, connection: 'close' },
  });
  delete headers.expect;
  outgoing.end(body);
  const [reply] = (await once(outgoing, 'response')) as [IncomingMessage];
  return { status: reply.statusCode ?? 502, headers: reply.headers, body: await buffer(reply) };
}
