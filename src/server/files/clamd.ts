/** Asks clamd about a stream (clamd(8), command INSTREAM). */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { MeetError } from '../../protocol/errors.ts';
import type { FileLimits } from '../config.ts';

/** A scanner on the same network answers within milliseconds. */
const CONNECT_TIMEOUT_MS = 5_000;
/** What it takes to unpack and look through a large archive. */
const REPLY_TIMEOUT_MS = 120_000;
const HINT = 'Try again later, or tell whoever runs the server.';
/** A reply is one line. */
const MAX_REPLY_BYTES = 4_096;

/** `undefined` for nothing found, else the name of the finding. */
export type Finding = string | undefined;

/** No connection could be made: the scanner has seen nothing of the file, and the file has done nothing to it. */
export class ScannerUnreachable extends MeetError {
  constructor(cause: unknown) {
    super('scanner-unavailable', 'The virus scanner cannot be reached.', { cause, hint: HINT });
  }
}

/**
 * Sends the content to the scanner and waits for its word.
 *
 * @throws ScannerUnreachable; MeetError `scanner-unavailable` where the connection breaks or the answer is none;
 * `too-large` for more than the scanner takes, unless the answer is lost: the scanner resets the connection behind it
 */
export async function scan(
  scanner: NonNullable<FileLimits['scanner']>,
  content: AsyncIterable<Buffer>,
): Promise<Finding> {
  const socket = connect({ ...scanner });
  socket.setTimeout(CONNECT_TIMEOUT_MS, () => socket.destroy(new Error('it does not answer')));
  const replied = readReply(socket);
  try {
    await once(socket, 'connect').catch((error: unknown) => {
      throw new ScannerUnreachable(error);
    });
    socket.setTimeout(REPLY_TIMEOUT_MS);
    await send(socket, content);
    return findingIn(await replied);
  } catch (error) {
    // A scanner that has had enough answers and closes while more is being sent.
    socket.destroySoon();
    const reply = await replied;
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
    // A scanner that has had enough says so before it resets the connection: it is heard first.
    await nextTurn();
  }
  socket.write(Buffer.alloc(4));
}

/** What came until the connection ended, however it did: a scanner that has had enough of a file resets it. */
function readReply(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let reply = '';
    const done = () => resolve(reply.replace(/\0.*$/s, '').trim());
    socket.on('data', (chunk) => {
      reply += chunk.toString();
      if (reply.includes('\0') || reply.length > MAX_REPLY_BYTES) done();
    });
    socket.on('error', done).on('close', done);
  });
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
    hint: HINT,
  });
}
