import type { SfuLogger, SfuOptions, Sfu as SfuType, SubscribeOffer } from '../../../src/server/sfu/index.ts';
import { Sfu } from '../../../src/server/sfu/index.ts';
import type { Peer } from '../../../src/server/sfu/types.ts';
import { workerBin } from '../../support/worker.ts';

const quiet = (): void => undefined;
export const silentLogger: SfuLogger = { debug: quiet, info: quiet, warn: quiet, error: quiet };

export function startSfu(options: Partial<SfuOptions> = {}): Promise<SfuType> {
  return Sfu.start({
    workerBin: workerBin(),
    numWorkers: 1,
    listen: [{ ip: '127.0.0.1' }],
    logger: silentLogger,
    ...options,
  });
}

/** The peer's next subscribe offer. */
export function nextOffer(peer: Peer): Promise<SubscribeOffer> {
  return new Promise((resolve) => peer.once('offer', resolve));
}
