/** Asks clamd about a stream (clamd(8), command INSTREAM). */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { MeetError } from '../../protocol/errors.ts';
import type { FileLimits } from '../config.ts';

/** A scanner on the same network answers within milliseconds. */
const CONNECT_TIMEOUT_MS = 5_000;
/** What it takes to unpack and look through a large archive. */
const REPLY_TIMEOUT_MS = 120_000;
/** A reply is one line. */
const MAX_REPLY_BYTES = 4_096;

/** `undefined` for nothing found, else the name of the finding. */
export type Finding = string | undefined;

/**
 * Sends the content to the scanner and waits for its word.
 *
 * @throws MeetError `scanner-unavailable`; `too-large` for more than the scanner takes
 */
export async function scan(
  scanner: NonNullable<FileLimits['scanner']>,
  content: AsyncIterable<Buffer>,
): Promise<Finding> {
  const socket = connect({ ...scanner });
  socket.setTimeout(CONNECT_TIMEOUT_MS, () => socket.destroy(new Error('it does not answer')));
  // What goes wrong is seen by whoever waits for the reply.
  const replied = readReply(socket);
  replied.catch(() => {});
  try {
    await once(socket, 'connect');
    socket.setTimeout(REPLY_TIMEOUT_MS);
    await send(socket, content);
    return findingIn(await replied);
  } catch (error) {
    // A scanner that has had enough answers and closes while more is being sent.
    const reply = await replied.catch(() => '');
    if (reply !== '') return findingIn(reply);
    throw unavailable(error);
  } finally {
    socket.destroy();
  }
}

async function send(socket: Socket, content: AsyncIterable<Buffer>): Promise<void> {
  socket.write('zINSTREAM\0');
  for await (const chunk of content) {
    if (socket.destroyed) throw new Error('the connection was closed');
    const length = Buffer.alloc(4);
    length.writeUInt32BE(chunk.length);
    socket.write(length);
    if (!socket.write(chunk)) await Promise.race([once(socket, 'drain'), once(socket, 'close')]);
  }
  socket.write(Buffer.alloc(4));
}

async function readReply(socket: Socket): Promise<string> {
  let reply = '';
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    reply += chunk.toString();
    if (reply.includes('\0') || reply.length > MAX_REPLY_BYTES) break;
  }
  return reply.replace(/\0.*$/s, '').trim();
}

function findingIn(reply: string): Finding {
  if (/^stream: OK$/.test(reply)) return undefined;
  const finding = /^stream: (.+) FOUND$/.exec(reply)?.[1];
  if (finding !== undefined) return finding;
  if (reply.includes('size limit exceeded')) {
    throw new MeetError('too-large', 'The file is larger than the virus scanner takes.');
  }
  throw unavailable(new Error(reply === '' ? 'it closed the connection' : reply));
}

function unavailable(cause: unknown): MeetError {
  if (cause instanceof MeetError) return cause;
  return new MeetError('scanner-unavailable', 'The virus scanner cannot be asked about the file.', {
    cause,
    hint: 'Try again later, or tell whoever runs the server.',
  });
}
