/** The process that stands between the two ends of an impaired cable. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('./impair.py', import.meta.url));

/** What stays unnamed in a change stays as it is; a new cable does nothing to packets. */
export interface Conditions {
  /** Milliseconds one way. */
  readonly delay?: number;
  /** The delay is spread evenly over this much more and less, milliseconds; packets overtake each other. */
  readonly jitter?: number;
  /** 0 to 1, each packet on its own. */
  readonly loss?: number;
  /** Bits a second of IP packets, 0 for no limit. */
  readonly rate?: number;
  /** Longest wait for the rate, milliseconds; what would wait longer is dropped. */
  readonly queue?: number;
  /** `down` is from the server. Default both. */
  readonly direction?: 'down' | 'up';
}

export interface DirectionCounters {
  readonly packets: number;
  readonly lost: number;
  readonly overflowed: number;
}

export interface CableCounters {
  readonly down: DirectionCounters;
  readonly up: DirectionCounters;
}

export class Impairer {
  readonly #child: ChildProcess;
  readonly #replies: PromiseWithResolvers<string>[] = [];
  readonly #exited: Promise<unknown>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#exited = once(child, 'close');
    createInterface({ input: child.stdout! }).on('line', (line) => this.#replies.shift()?.resolve(line));
    child.once('close', (code) => {
      for (const reply of this.#replies.splice(0)) reply.reject(new Error(`The impairer ended with ${code}`));
    });
  }

  /** Makes TUN devices of these names in this process's namespace, to be moved to where they are needed. */
  static async start(deviceA: string, deviceB: string, seed: number): Promise<Impairer> {
    const child = spawn('python3', [SCRIPT, deviceA, deviceB, String(seed)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    child.stdin.on('error', () => {});
    const impairer = new Impairer(child);
    await impairer.#reply();
    return impairer;
  }

  /** Takes effect for the packets that come from now on; gives what has passed before. */
  async change(conditions: Conditions): Promise<CableCounters> {
    const reply = this.#reply();
    this.#child.stdin!.write(`${JSON.stringify(conditions)}\n`);
    return JSON.parse(await reply) as CableCounters;
  }

  #reply(): Promise<string> {
    const reply = Promise.withResolvers<string>();
    this.#replies.push(reply);
    return reply.promise;
  }

  async close(): Promise<void> {
    this.#child.stdin?.end();
    await this.#exited;
  }
}
