/** Packets that the kernel has dropped because a process did not read its sockets in time. */
import { readdir, readFile, readlink } from 'node:fs/promises';

/**
 * Sums the `drops` column of /proc/net/udp over the sockets of this process; 0 where the system has no such file. A
 * socket's drops are gone with it, so the largest sum so far is kept per socket.
 */
export class SocketDrops {
  readonly #bySocket = new Map<string, number>();
  #closedSockets = 0;

  /** So far, all sockets that were ever seen. */
  async read(): Promise<number> {
    const own = await ownSockets();
    if (own.size > 0) {
      for (const table of ['/proc/self/net/udp', '/proc/self/net/udp6']) {
        for (const [inode, drops] of parseDrops(await readFile(table, 'utf8').catch(() => '')))
          if (own.has(inode)) this.#bySocket.set(inode, drops);
      }
    }
    for (const [inode, drops] of this.#bySocket) {
      if (own.has(inode)) continue;
      this.#bySocket.delete(inode);
      this.#closedSockets += drops;
    }
    return [...this.#bySocket.values()].reduce((sum, drops) => sum + drops, this.#closedSockets);
  }
}

/** Inodes of the sockets that this process has open. */
async function ownSockets(): Promise<ReadonlySet<string>> {
  const names = await readdir('/proc/self/fd').catch(() => []);
  const links = await Promise.all(names.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => '')));
  return new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
}

/** Inode → drops of each line of /proc/net/udp that has dropped something. */
export function parseDrops(table: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const line of table.split('\n').slice(1)) {
    const fields = line.trim().split(/\s+/);
    const drops = Number(fields[12]);
    const inode = fields[9];
    if (drops > 0 && inode !== undefined) found.set(inode, drops);
  }
  return found;
}
