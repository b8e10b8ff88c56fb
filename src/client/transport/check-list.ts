import type { Candidate } from './candidate.ts';
import type { PacketSocket } from './packet-socket.ts';

/** A local socket with a remote candidate. */
export interface Pair {
  readonly socket: PacketSocket;
  readonly remote: Candidate;
}

export interface CheckListHandlers {
  /** Sends a connectivity check. */
  readonly send: (pair: Pair, nominate: boolean) => { transactionId: string; resend: () => void };
  /** Exactly one pair is selected. */
  readonly onSelected: (pair: Pair) => void;
}

interface CheckedPair extends Pair {
  /** 0 direct UDP, 1 TCP, 2 relayed: a lower one wins when both work. */
  readonly rank: 0 | 1 | 2;
  state: 'checking' | 'succeeded' | 'failed';
  /** The peer has answered a check that nominates this pair. */
  nominated: boolean;
  outcome: string;
  timer: NodeJS.Timeout | undefined;
}

/**
 * How long a working pair waits for a better kind that may still answer, by rank, milliseconds from the
 * first check. A lost first check over UDP is repeated twice within the first wait.
 */
const HOLD_MS = [0, 400, 700] as const;
/**
 * Times between repetitions of a check. Shorter than RFC 8445's 500 ms because there are few pairs, and a
 * lost packet should not cost half a second of the time to join.
 */
const REPEAT_MS = [100, 200, 400] as const;
const LAST_REPEAT_MS = 500;

/**
 * The connectivity checks of the controlling side, all started at once, and its choice: UDP before TCP before
 * relays. A lite peer, which takes the last nomination it hears, gets one in the first check of the best UDP
 * pair; that saves a round trip.
 */
export class CheckList {
  readonly #pairs: CheckedPair[] = [];
  readonly #transactions = new Map<string, { pair: CheckedPair; nominate: boolean }>();
  readonly #lite: boolean;
  readonly #handlers: CheckListHandlers;
  readonly #startedAt = performance.now();
  #eager: CheckedPair | undefined;
  #chosen: CheckedPair | undefined;
  #holdTimer: NodeJS.Timeout | undefined;
  #done = false;

  constructor(lite: boolean, handlers: CheckListHandlers) {
    this.#lite = lite;
    this.#handlers = handlers;
  }

  /** Adds a pair and starts checking it. */
  add(socket: PacketSocket, remote: Candidate): void {
    if (this.#done) return;
    const known = this.#pairs.some(
      (pair) =>
        pair.socket === socket && pair.remote.address === remote.address && pair.remote.port === remote.port,
    );
    if (known) return;
    const rank = socket.localType === 'relay' ? 2 : socket.protocol === 'tcp' ? 1 : 0;
    const pair: CheckedPair = {
      socket,
      remote,
      rank,
      state: 'checking',
      nominated: false,
      outcome: 'no answer',
      timer: undefined,
    };
    this.#pairs.push(pair);
    const eager = this.#lite && rank === 0 && this.#eager === undefined;
    if (eager) this.#eager = pair;
    this.#check(pair, eager);
  }

  #check(pair: CheckedPair, nominate: boolean): void {
    clearTimeout(pair.timer);
    const { transactionId, resend } = this.#handlers.send(pair, nominate);
    this.#transactions.set(transactionId, { pair, nominate });
    // TCP repeats what is lost by itself.
    if (pair.socket.protocol === 'tcp') return;
    const repeat = (count: number): void => {
      pair.timer = setTimeout(() => {
        resend();
        repeat(count + 1);
      }, REPEAT_MS[count] ?? LAST_REPEAT_MS);
    };
    repeat(0);
  }

  /** A check was answered from this address. */
  answered(transactionId: string, address: string, port: number): void {
    const transaction = this.#transactions.get(transactionId);
    if (transaction === undefined || this.#done) return;
    const { pair, nominate } = transaction;
    if (pair.remote.address !== address || pair.remote.port !== port) return;
    this.#transactions.delete(transactionId);
    // An earlier check of the chosen pair; the answer to the nomination is still to come.
    if (pair === this.#chosen && !nominate) return;
    clearTimeout(pair.timer);
    pair.state = 'succeeded';
    pair.nominated ||= nominate;
    if (pair === this.#chosen) this.#select(pair);
    else this.#choose();
  }

  /** The peer answered a check with an error; it is repeated all the same. */
  refused(transactionId: string, code: string): void {
    const transaction = this.#transactions.get(transactionId);
    if (transaction !== undefined) transaction.pair.outcome = `the check was refused: ${code}`;
  }

  socketLost(socket: PacketSocket, reason: string): void {
    if (this.#done) return;
    for (const pair of this.#pairs.filter((each) => each.socket === socket)) {
      clearTimeout(pair.timer);
      pair.state = 'failed';
      pair.outcome = reason;
      if (this.#chosen === pair) this.#chosen = undefined;
    }
    this.#choose();
  }

  #choose(): void {
    if (this.#done || this.#chosen !== undefined) return;
    const best = this.#pairs
      .filter(({ state }) => state === 'succeeded')
      .sort((a, b) => a.rank - b.rank || b.remote.priority - a.remote.priority)[0];
    if (best === undefined) return;
    const betterMayCome = this.#pairs.some(({ state, rank }) => state === 'checking' && rank < best.rank);
    const holdMs = this.#startedAt + HOLD_MS[best.rank] - performance.now();
    clearTimeout(this.#holdTimer);
    if (betterMayCome && holdMs > 0) {
      this.#holdTimer = setTimeout(() => this.#choose(), holdMs);
      return;
    }
    this.#chosen = best;
    if (best.nominated) this.#select(best);
    else this.#check(best, true);
  }

  #select(pair: CheckedPair): void {
    this.close();
    this.#handlers.onSelected(pair);
  }

  /** Each pair with what became of it. */
  get attempts(): string[] {
    return this.#pairs.map(({ socket, remote, outcome }) => {
      const host = remote.address.includes(':') ? `[${remote.address}]` : remote.address;
      const via = socket.localType === 'relay' ? 'relayed UDP' : socket.protocol.toUpperCase();
      return `${via} to ${host}:${remote.port} (${outcome})`;
    });
  }

  close(): void {
    this.#done = true;
    clearTimeout(this.#holdTimer);
    for (const pair of this.#pairs) clearTimeout(pair.timer);
  }
}
