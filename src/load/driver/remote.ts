/** Drivers on other machines, by their agents. */
import { request } from 'undici';
import WebSocket from 'ws';
import { networkReason } from '../../client/rest.ts';
import { MeetError } from '../../protocol/errors.ts';
import type { DriverLine } from './link.ts';
import type { Report } from './protocol.ts';

export const AGENT_PORT = 7_900;
const TIMEOUT_MS = 10_000;

/** `host`, `host:port` or `[address]:port`, as a URL's authority with the agent's port filled in. */
export function agentAddress(text: string): string {
  const url = URL.parse(`http://${text}`);
  if (url === null || url.pathname !== '/' || url.search !== '' || url.username !== '')
    throw new MeetError('bad-config', `"${text}" is not a host, as load1 or 10.0.0.5:${AGENT_PORT}.`);
  return url.port === '' ? `${url.hostname}:${AGENT_PORT}` : url.host;
}

/**
 * Connects to an agent for so many drivers, one a core of its machine by default.
 *
 * @throws MeetError `server-unreachable`, `unauthorized`
 */
export async function remoteLines(address: string, secret: string, count?: number): Promise<DriverLine[]> {
  const cores = await askCores(address, secret);
  const lines: DriverLine[] = [];
  try {
    for (let number = 1; number <= (count ?? cores); number += 1)
      lines.push(await connect(address, secret, `${address} ${number}`));
    return lines;
  } catch (error) {
    await Promise.all(lines.map((line) => line.close()));
    throw error;
  }
}

async function askCores(address: string, secret: string): Promise<number> {
  try {
    const { statusCode, body } = await request(`http://${address}/`, {
      headers: { authorization: `Bearer ${secret}` },
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
    });
    const text = await body.text();
    if (statusCode === 401) throw new MeetError('unauthorized', `The agent ${address} has another secret.`);
    const reply = JSON.parse(text) as { agent?: unknown; cores?: unknown };
    if (reply.agent !== 'meet' || typeof reply.cores !== 'number') throw new Error('it is no agent');
    return reply.cores;
  } catch (cause) {
    if (cause instanceof MeetError) throw cause;
    throw unreachable(address, cause);
  }
}

function unreachable(address: string, cause: unknown): MeetError {
  return new MeetError('server-unreachable', `No agent answers at ${address}: ${networkReason(cause)}.`, {
    cause,
    hint: 'Start it there with: meet load-agent',
  });
}

async function connect(address: string, secret: string, name: string): Promise<DriverLine> {
  const socket = new WebSocket(`ws://${address}/`, {
    headers: { authorization: `Bearer ${secret}` },
    handshakeTimeout: TIMEOUT_MS,
    perMessageDeflate: false,
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', (cause) => reject(unreachable(address, cause)));
  });
  socket.on('error', () => {}); // 'close' follows.
  const closed = new Promise<string>((resolve) => {
    socket.once('close', (code, reason) => resolve(reason.toString() || `connection closed (${code})`));
  });
  return {
    name,
    host: address,
    send: (order) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(order));
    },
    onReport: (listener) => socket.on('message', (data) => listener(JSON.parse(String(data)) as Report)),
    onClosed: (listener) => void closed.then(listener),
    close: async () => {
      socket.close();
      await closed;
    },
  };
}
