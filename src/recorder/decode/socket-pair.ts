import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MeetError } from '../../protocol/errors.ts';

export interface SocketPair {
  /** Ours. What comes is written to where `space` says. */
  readonly ours: Socket;
  /** The other end, for a child process. */
  readonly theirs: Socket;
}

export interface Landing {
  /** Where the next bytes go: at least one, and as many of them as there are. */
  space(): Uint8Array;
  /** So many bytes were written to the beginning of what `space` gave last. */
  filled(bytes: number): void;
}

/**
 * Two connected sockets. The pipes that Node makes for a child give their data in new buffers of 64 KiB, which are then
 * copied; these read to where the data belongs. For nine videos of 360p that is 0.03 and not 0.07 CPU-seconds a second.
 *
 * @throws MeetError `no-permission` when the folder for temporary files cannot be written to
 */
export async function socketPair(landing: Landing): Promise<SocketPair> {
  const folder = await mkdtemp(join(tmpdir(), 'meet-')).catch((cause: unknown) => {
    throw new MeetError('no-permission', `${tmpdir()} cannot be written to.`, {
      cause,
      hint: 'Set TMPDIR to a folder for temporary files.',
    });
  });
  const server = createServer({ pauseOnConnect: true });
  try {
    server.listen(join(folder, 'socket'));
    await once(server, 'listening');
    return await connected(server, join(folder, 'socket'), landing);
  } finally {
    server.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function connected(server: Server, path: string, landing: Landing): Promise<SocketPair> {
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const ours = connect({
    path,
    onread: {
      buffer: () => landing.space(),
      callback: (bytes) => {
        landing.filled(bytes);
        return true;
      },
    },
  });
  // A socket that breaks says nothing that the child's exit does not say better.
  ours.on('error', () => {});
  const [theirs] = await accepted;
  theirs.on('error', () => {});
  return { ours, theirs };
}
