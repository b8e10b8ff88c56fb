/** Whose address a request comes from, for limits, and which it was sent to, for links. */
import type { IncomingMessage } from 'node:http';
import { normalizeIP } from '@fastify/rate-limit';

/** The bits of an IPv6 address that are one customer's at least (RFC 6177): whoever has one has all of them. */
const IPV6_PREFIX = 64;

/** What limits count by: an IPv4 address, also where it comes mapped into IPv6, or the network of an IPv6 one. */
export function addressKey(address: string): string {
  return normalizeIP(address, IPV6_PREFIX);
}

const lastOf = (header: string | string[] | undefined) => [header].flat().join(',').split(',').at(-1)?.trim();

/** The socket's address, or behind a proxy the last one in `X-Forwarded-For`, which the proxy itself wrote. */
export function clientAddress(request: IncomingMessage, trustProxy: boolean): string {
  const forwarded = trustProxy ? lastOf(request.headers['x-forwarded-for']) : undefined;
  return forwarded || (request.socket.remoteAddress ?? '');
}

/** Scheme and host that the client asked, or that it asked the proxy; of requests that Fastify does not see. */
export function askedOrigin(
  { headers, socket }: IncomingMessage,
  trustProxy: boolean,
): { protocol: string; host: string } {
  const forwarded = (name: string) => (trustProxy ? lastOf(headers[`x-forwarded-${name}`]) : undefined);
  const protocol = forwarded('proto') || ('encrypted' in socket && socket.encrypted ? 'https' : 'http');
  return { protocol, host: forwarded('host') || (headers.host ?? '') };
}
