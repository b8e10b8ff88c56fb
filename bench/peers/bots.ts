/** Parts that the clients of all servers share: everything but the signaling is the same code. */

import type { OfferExchange } from '../../src/client/peer/publish-connection.ts';
import { PublishConnection } from '../../src/client/peer/publish-connection.ts';
import { Publisher } from '../../src/client/peer/publisher.ts';
import { BotConnection } from '../../src/load/bot/connection.ts';
import type { BotFigures } from '../../src/load/bot/figures.ts';
import { Watch } from '../../src/load/bot/watch.ts';
import { RunClock } from '../../src/load/clock.ts';
import type { EncodedSource } from '../../src/media/types.ts';
import type { Joined } from './types.ts';

const clock = new RunClock();
/** One packet in so many is decrypted and checked, as in `meet load`. */
const CHECK_ONE_IN = 50;

/** A connection that counts what comes; whoever makes it answers the server's offer with it. */
export function receiveWith(cname: string, figures: BotFigures): Promise<BotConnection> {
  return BotConnection.create(
    {},
    {
      cname,
      clock,
      figures,
      checkOneIn: CHECK_ONE_IN,
      watch: ({ kind }, clockRate) => new Watch({ kind, clockRate, figures, onFirst: () => {} }),
      ended: () => {},
    },
  );
}

/** Offers a source by whatever signaling, and sends it at a constant rate. */
export async function publishWith(
  cname: string,
  source: EncodedSource,
  exchange: OfferExchange,
): Promise<Joined> {
  const connection = await PublishConnection.create({ own: source }, cname, {}, { constantRate: true });
  await connection.connect(exchange);
  const publisher = new Publisher({ own: source });
  publisher.use(connection);
  return {
    close: async () => {
      connection.close();
      await publisher.close();
    },
  };
}

/** Resolves when a receiving connection is up; rejects when it cannot be. */
export function whenConnected(connection: {
  once(event: 'connected' | 'failed', listener: (argument: unknown) => void): unknown;
}): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.once('connected', () => resolve());
    connection.once('failed', reject);
  });
}
