/** Two hosts on this machine: network namespaces joined by a cable that can lose packets and be cut. */
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Why there can be none here, `undefined` when there can. */
export function noNamespaces(): string | undefined {
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  for (const program of ['ip', 'nft']) {
    if (spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0) {
      return `the program "${program}" is missing (packages iproute2, nftables)`;
    }
  }
  const name = `meetprobe${process.pid}`;
  if (spawnSync('ip', ['netns', 'add', name]).status !== 0) return 'this kernel gives no network namespaces';
  spawnSync('ip', ['netns', 'del', name]);
  return undefined;
}

export interface Host {
  readonly name: string;
  readonly address: string;
  /** Words that run a program on this host. */
  readonly prefix: readonly string[];
}

let count = 0;

/** A server's and a client's host; `close()` removes both with everything on them. */
export class TwoHosts {
  readonly server: Host;
  readonly client: Host;

  private constructor(id: string, subnet: string) {
    const host = (suffix: string, end: number): Host => ({
      name: `${id}${suffix}`,
      address: `${subnet}.${end}`,
      prefix: ['ip', 'netns', 'exec', `${id}${suffix}`],
    });
    this.server = host('s', 1);
    this.client = host('c', 2);
  }

  static async create(): Promise<TwoHosts> {
    const number = count++;
    const id = `m${process.pid % 100_000}n${number}`;
    const hosts = new TwoHosts(id, `10.${100 + (process.pid % 100)}.${number}`);
    const { server, client } = hosts;
    for (const { name } of [server, client]) {
      await run('ip', ['netns', 'add', name]);
      await run('ip', ['-n', name, 'link', 'set', 'lo', 'up']);
    }
    await run('ip', [
      '-n',
      server.name,
      'link',
      'add',
      'e0',
      'type',
      'veth',
      'peer',
      'name',
      'e0',
      'netns',
      client.name,
    ]);
    for (const { name, address } of [server, client]) {
      await run('ip', ['-n', name, 'addr', 'add', `${address}/24`, 'dev', 'e0']);
      await run('ip', ['-n', name, 'link', 'set', 'e0', 'up']);
      await run('ip', ['netns', 'exec', name, 'nft', 'add', 'table', 'inet', 'path']);
      await run('ip', [
        'netns',
        'exec',
        name,
        'nft',
        'add chain inet path in { type filter hook input priority 0; }',
      ]);
    }
    return hosts;
  }

  /** Loses this share of the UDP packets in each direction, at random. */
  async loseUdp(percent: number): Promise<void> {
    await this.#rules(`meta l4proto udp numgen random mod 10000 < ${Math.round(percent * 100)} drop`);
  }

  /** Lets nothing of a kind through. */
  async cut(what: 'udp' | 'tcp' | 'all'): Promise<void> {
    await this.#rules(what === 'all' ? 'meta iifname e0 drop' : `meta iifname e0 meta l4proto ${what} drop`);
  }

  /** Lets everything through again. */
  async restore(): Promise<void> {
    await this.#rules(undefined);
  }

  async #rules(rule: string | undefined): Promise<void> {
    for (const { name } of [this.server, this.client]) {
      // One transaction: a change takes effect at one instant.
      const script = `flush chain inet path in${rule === undefined ? '' : `; add rule inet path in ${rule}`}`;
      await run('ip', ['netns', 'exec', name, 'nft', script]);
    }
  }

  async close(): Promise<void> {
    for (const { name } of [this.server, this.client])
      await run('ip', ['netns', 'del', name]).catch(() => {});
  }
}
