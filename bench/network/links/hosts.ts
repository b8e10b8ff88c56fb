/** Hosts of a benchmark: network namespaces, each joined to the server's by a cable of its own. */
import { execFile, spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { promisify } from 'node:util';
import { noNamespaces } from '../../../test/support/namespaces.ts';
import { type CableCounters, type Conditions, Impairer } from './impairer.ts';

const execute = promisify(execFile);

/** `ip` or `tc` with these words. */
async function run(program: 'ip' | 'tc', line: string): Promise<void> {
  await execute(program, line.split(' '));
}

/** Why there can be no hosts on this machine, `undefined` when there can. */
export function noHosts(): string | undefined {
  const reason = noNamespaces();
  if (reason !== undefined) return reason;
  for (const [program, packageName] of [
    ['tc', 'iproute2'],
    ['python3', 'python3'],
  ] as const) {
    if (spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0)
      return `the program "${program}" is missing (package ${packageName})`;
  }
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK);
  } catch {
    return 'the device /dev/net/tun is missing';
  }
  return undefined;
}

/** A token bucket holds so much: a few packets, so that a small rate is seen at once. */
const BURST_BYTES = 8 * 1024;
/** Longest wait in front of a narrow link; access routers hold some hundred milliseconds. */
const QUEUE_MS = 200;

/** A host behind a cable whose rate can be bounded. */
export interface WiredHost {
  readonly name: string;
  /** Words that run a program on this host. */
  readonly prefix: readonly string[];
  /** Bounds what comes from the server (`down`) or goes to it, bits a second of Ethernet frames, in one step. */
  setRate(direction: 'down' | 'up', bitsPerSecond: number): Promise<void>;
  /** Packets and bytes that came to the host so far, everything counted. */
  received(): Promise<{ packets: number; bytes: number }>;
}

/** A host behind a cable that delays and loses packets. */
export interface ImpairedHost {
  readonly name: string;
  readonly prefix: readonly string[];
  change(conditions: Conditions): Promise<CableCounters>;
}

let networks = 0;
const open = new Set<Hosts>();

/** Removes all hosts that are still there, when the benchmark is interrupted. */
export async function closeHosts(): Promise<void> {
  await Promise.all([...open].map((hosts) => hosts.close()));
}

/** The server's host in the middle and the others around it; `close()` removes them with everything on them. */
export class Hosts {
  /** The server's address, on its loopback interface: the same from every host. */
  readonly serverAddress: string;
  readonly server: { readonly name: string; readonly prefix: readonly string[] };
  readonly #id: string;
  readonly #subnet: string;
  readonly #names: string[] = [];
  readonly #impairers: Impairer[] = [];
  #closed = false;

  private constructor() {
    const number = networks++;
    this.#id = `b${process.pid % 100_000}x${number}`;
    this.#subnet = `10.${100 + (process.pid % 100)}.${100 + number}`;
    this.serverAddress = `${this.#subnet}.1`;
    this.server = host(`${this.#id}s`);
    open.add(this);
  }

  static async create(): Promise<Hosts> {
    const hosts = new Hosts();
    await hosts.#namespace(hosts.server.name);
    await run('ip', `-n ${hosts.server.name} addr add ${hosts.serverAddress}/32 dev lo`);
    return hosts;
  }

  async addWired(): Promise<WiredHost> {
    const { server } = this;
    const { name, port, address } = await this.#next();
    await run('ip', `-n ${server.name} link add ${port} type veth peer name e0 netns ${name}`);
    await this.#join(name, port, address);
    const limited = new Set<string>();
    return {
      ...host(name),
      setRate: async (direction, bitsPerSecond) => {
        const [at, device] = direction === 'down' ? [server.name, port] : [name, 'e0'];
        const verb = limited.has(at) ? 'change' : 'add';
        limited.add(at);
        const bucket = `rate ${Math.round(bitsPerSecond)}bit burst ${BURST_BYTES} latency ${QUEUE_MS}ms`;
        await run('tc', `-n ${at} qdisc ${verb} dev ${device} root tbf ${bucket}`);
      },
      received: async () => {
        const { stdout } = await execute('ip', ['-n', name, '-s', '-j', 'link', 'show', 'e0']);
        const [link] = JSON.parse(stdout) as [{ stats64: { rx: { packets: number; bytes: number } } }];
        return link.stats64.rx;
      },
    };
  }

  /** @param seed of the losses and delays: the same packets meet the same fate in each run */
  async addImpaired(seed: number): Promise<ImpairedHost> {
    const { server } = this;
    const { name, port, address } = await this.#next();
    const far = `${port}r`;
    const impairer = await Impairer.start(port, far, seed);
    this.#impairers.push(impairer);
    await run('ip', `link set ${port} netns ${server.name}`);
    await run('ip', `link set ${far} netns ${name} name e0`);
    for (const [at, device] of [
      [server.name, port],
      [name, 'e0'],
    ])
      await run('ip', `-n ${at} link set ${device} txqueuelen 2000`);
    await this.#join(name, port, address);
    return { ...host(name), change: (conditions) => impairer.change(conditions) };
  }

  async #next(): Promise<{ name: string; port: string; address: string }> {
    const number = this.#names.length;
    const name = `${this.#id}h${number}`;
    await this.#namespace(name);
    // Names of devices are the whole machine's while a TUN device is made: 15 characters at most.
    return { name, port: `${this.#id}p${number}`, address: `${this.#subnet}.${number + 1}` };
  }

  async #namespace(name: string): Promise<void> {
    await run('ip', `netns add ${name}`);
    this.#names.push(name);
    await run('ip', `-n ${name} link set lo up`);
  }

  async #join(name: string, port: string, address: string): Promise<void> {
    const { server, serverAddress } = this;
    await run('ip', `-n ${name} addr add ${address}/32 dev e0`);
    await run('ip', `-n ${name} link set e0 up`);
    await run('ip', `-n ${server.name} link set ${port} up`);
    await run('ip', `-n ${name} route add ${serverAddress} dev e0`);
    await run('ip', `-n ${server.name} route add ${address} dev ${port} src ${serverAddress}`);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.all(this.#impairers.map((impairer) => impairer.close()));
    for (const name of this.#names) await run('ip', `netns del ${name}`).catch(() => {});
    open.delete(this);
  }
}

function host(name: string): { name: string; prefix: readonly string[] } {
  return { name, prefix: ['ip', 'netns', 'exec', name] };
}
