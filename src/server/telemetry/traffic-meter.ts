/** Adds up what passes through the SFU, from the worker's statistics of one participant after the other. */
import type { ConnectionStats, Peer, StreamStats } from '../sfu/index.ts';

/**
 * Requests to the workers a second, and how many go together: each costs some 60 µs of this process and less of a
 * worker. A thousand participants with two streams each are gone round in ten seconds.
 */
const REQUESTS_PER_SECOND = 200;
const TICK_MS = 100;
/** No participant is asked more often, milliseconds. */
const LEAST_ROUND_MS = 2_000;

export type Direction = 'in' | 'out';

/** What came since a stream was last asked for. */
export interface TrafficDelta {
  /** `in`: from participants to the server. */
  readonly direction: Direction;
  readonly kind: 'audio' | 'video';
  readonly packets: number;
  readonly bytes: number;
  readonly lost: number;
  readonly jitterMs: number;
  readonly rttMs?: number;
}

interface Counted {
  packets: number;
  bytes: number;
  lost: number;
}

export interface TrafficMeterOptions {
  readonly peers: () => Iterable<Peer>;
  readonly onDelta: (delta: TrafficDelta) => void;
  /** A worker that dies takes its statistics along; anything else is worth a word. */
  readonly onError: (error: unknown) => void;
}

/** Goes round the participants for as long as it is not closed. What passes after a stream's last reading is not seen. */
export class TrafficMeter {
  readonly #options: TrafficMeterOptions;
  readonly #timer: NodeJS.Timeout;
  /** By participant, then by stream. */
  #counted = new Map<Peer, Map<string, Counted>>();
  #round: Peer[] = [];
  #roundBeganMs = Number.NEGATIVE_INFINITY;
  #asking = 0;

  constructor(options: TrafficMeterOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#timer.unref();
  }

  #tick(): void {
    if (this.#round.length === 0) this.#beginRound();
    // Answers that are slow to come are not asked for twice.
    let budget = (REQUESTS_PER_SECOND * TICK_MS) / 1_000 - this.#asking;
    while (budget > 0) {
      const peer = this.#round.pop();
      if (peer === undefined) return;
      const { producers, consumers } = peer.streamCounts;
      // One for each stream and each of the two transports.
      const requests = producers + consumers + 2;
      budget -= requests;
      this.#asking += requests;
      void this.#read(peer).finally(() => {
        this.#asking -= requests;
      });
    }
  }

  #beginRound(): void {
    const now = performance.now();
    if (now - this.#roundBeganMs < LEAST_ROUND_MS) return;
    this.#roundBeganMs = now;
    this.#round = [...this.#options.peers()];
    // Those who have gone are forgotten.
    this.#counted = new Map(this.#round.map((peer) => [peer, this.#counted.get(peer) ?? new Map()]));
  }

  async #read(peer: Peer): Promise<void> {
    try {
      const { publish, subscribe } = await peer.stats();
      const before = this.#counted.get(peer);
      if (before === undefined) return;
      const seen = new Map<string, Counted>();
      this.#count('in', publish, before, seen);
      this.#count('out', subscribe, before, seen);
      this.#counted.set(peer, seen);
    } catch (error) {
      this.#options.onError(error);
    }
  }

  #count(
    direction: Direction,
    connection: ConnectionStats | undefined,
    before: ReadonlyMap<string, Counted>,
    seen: Map<string, Counted>,
  ): void {
    for (const stream of connection?.streams ?? []) {
      const key = `${direction} ${stream.trackId} ${stream.rid ?? ''}`;
      const { packets, bytes, packetsLost: lost } = stream;
      seen.set(key, { packets, bytes, lost });
      this.#options.onDelta(deltaOf(direction, stream, before.get(key)));
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

function deltaOf(direction: Direction, stream: StreamStats, before: Counted | undefined): TrafficDelta {
  const { kind, packets, bytes, packetsLost, jitterMs, rttMs } = stream;
  // A stream that was made anew under the same id counts from zero. Losses are taken back when a packet comes late.
  const since = before === undefined || packets < before.packets ? { packets: 0, bytes: 0, lost: 0 } : before;
  return {
    direction,
    kind,
    packets: packets - since.packets,
    bytes: Math.max(0, bytes - since.bytes),
    lost: Math.max(0, packetsLost - since.lost),
    jitterMs,
    ...(rttMs === undefined ? {} : { rttMs }),
  };
}
