/** A reverse proxy that ends TLS, as nginx in front of a server does, WebSockets included. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request as forward, type IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface ReverseProxy {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Passes requests on to `http://127.0.0.1:targetPort`, adding what it knows of the client to `X-Forwarded-*`. */
export async function startReverseProxy(
  targetPort: number,
  tls: { readonly cert: string; readonly key: string },
): Promise<ReverseProxy> {
  const ask = (request: IncomingMessage) => {
    const { method, url: path, headers, socket } = request;
    const before = headers['x-forwarded-for'];
    const forwarded = {
      'x-forwarded-for': [before, socket.remoteAddress].flat().filter(Boolean).join(', '),
      'x-forwarded-proto': 'https',
      'x-forwarded-host': headers.host,
    };
    return forward({
      host: '127.0.0.1',
      port: targetPort,
      method,
      path,
      headers: { ...headers, ...forwarded, host: 'backend.internal' },
    });
  };
  const server = createServer({ cert: readFileSync(tls.cert), key: readFileSync(tls.key) });
  server.on('request', (request, response) => {
    const asked = ask(request);
    asked.on('response', (reply) => {
      response.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(response);
    });
    asked.on('error', () => response.destroy());
    request.pipe(asked);
  });
  server.on('upgrade', (request, socket, head) => {
    const asked = ask(request);
    asked.on('upgrade', (reply, target, first) => {
      const lines = Object.entries(reply.headers).map(([name, value]) => `${name}: ${value}`);
      socket.write(['HTTP/1.1 101 Switching Protocols', ...lines, '', ''].join('\r\n'));
      socket.write(first);
      target.write(head);
      socket.pipe(target).pipe(socket);
      socket.on('error', () => target.destroy());
      target.on('error', () => socket.destroy());
    });
    asked.on('error', () => socket.destroy());
    asked.end();
  });
  server.listen(0);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `https://127.0.0.1:${port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
