/** Bots of one measurement of servers side by side: either those that send or those that receive. */

import { systemClock } from '../../src/client/rtp/clock.ts';
import { BotFigures } from '../../src/load/bot/figures.ts';
import { type Counters, Tally } from '../../src/load/measure/tally.ts';
import { answer } from '../harness/program.ts';
import { ADAPTERS } from '../peers/adapters.ts';
import type { Joined, PeerClient } from '../peers/types.ts';
import { type SyntheticOptions, SyntheticSource, sharedClockMs, stampOf } from './synthetic-source.ts';

/** More at once would measure the queue in front of the server. */
const JOINS_AT_ONCE = 4;

let client: PeerClient | undefined;
const joined: Joined[] = [];
const tally = new Tally();
let latencies: number[] | undefined;

async function times(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const turn = async (): Promise<void> => {
    while (next < count) {
      const index = next;
      next += 1;
      await work(index);
    }
  };
  await Promise.all(Array.from({ length: JOINS_AT_ONCE }, turn));
}

const requests = {
  connect: async ({ adapter, address }: { adapter: string; address: string }): Promise<void> => {
    client = await ADAPTERS.find(({ name }) => name === adapter)!.connect(address);
  },

  publish: async ({ room, count, source }: { room: string; count: number; source: SyntheticOptions }) => {
    await times(count, async () => {
      joined.push(await client!.publish(room, new SyntheticSource(source)));
    });
  },

  /** Gives how long each took to connect, milliseconds, and the SRTP profiles that were agreed on. */
  receive: async ({ room, count }: { room: string; count: number }) => {
    const connectMs: number[] = [];
    const profiles = new Set<string>();
    await times(count, async (index) => {
      const beganMs = performance.now();
      const one = await client!.receive(room, new BotFigures(index, false, tally));
      connectMs.push(performance.now() - beganMs);
      profiles.add(one.connection.srtpProfile ?? 'none');
      joined.push(one);
    });
    return { connectMs, profiles: [...profiles] };
  },

  /** One whole client that tells the latency of every frame from now on. */
  probe: async ({ room }: { room: string }): Promise<void> => {
    const probe = await client!.probe(room, (frame) => {
      const sinceArrivalMs = systemClock.now() - frame.receivedAtMs;
      latencies?.push(sharedClockMs() - sinceArrivalMs - stampOf(frame.data));
    });
    joined.push(probe);
  },

  counters: (): Counters => ({ ...tally.counters }),

  startLatencies: (): void => {
    latencies = [];
  },

  takeLatencies: (): Float64Array => Float64Array.from(latencies ?? []),
};

export type PeerBotRequests = typeof requests;

answer(requests, async () => {
  await Promise.all(joined.map((one) => one.close().catch(() => {})));
  await client?.close();
});
