/** TURN URLs (RFC 7065) of the ICE servers of a meeting. */
import type { IceServer } from '../../protocol/model.ts';

export interface TurnServer {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly transport: 'udp' | 'tcp' | 'tls';
  readonly username: string;
  readonly credential: string;
}

const DEFAULT_PORT = 3478;
const DEFAULT_TLS_PORT = 5349;

/**
 * The TURN servers in their order. STUN servers are left out: an SFU has a public address and learns ours
 * from the checks, so asking a STUN server would only cost time. URLs that make no sense, and servers
 * without credentials, are left out as well.
 */
export function turnServers(iceServers: readonly IceServer[]): TurnServer[] {
  return iceServers.flatMap(({ urls, username, credential }) =>
    username === undefined || credential === undefined
      ? []
      : urls.flatMap((url) => {
          const parsed = parseTurnUrl(url);
          return parsed === undefined ? [] : [{ ...parsed, url, username, credential }];
        }),
  );
}

function parseTurnUrl(url: string): Pick<TurnServer, 'host' | 'port' | 'transport'> | undefined {
  const match = /^(turns?):(\[[\da-f:.]+\]|[^:?[\]/\s]+)(?::(\d{1,5}))?(?:\?transport=(udp|tcp))?$/i.exec(
    url,
  );
  if (match === null) return undefined;
  const [, scheme, host, port, transport] = match;
  const secure = scheme!.toLowerCase() === 'turns';
  // TURN over DTLS is not known here; nearly every turns: server also takes TLS.
  const overTcp = secure || transport?.toLowerCase() === 'tcp';
  const number = port === undefined ? (secure ? DEFAULT_TLS_PORT : DEFAULT_PORT) : Number(port);
  if (number < 1 || number > 65_535) return undefined;
  return {
    host: host!.replace(/^\[|\]$/g, ''),
    port: number,
    transport: secure ? 'tls' : overTcp ? 'tcp' : 'udp',
  };
}
