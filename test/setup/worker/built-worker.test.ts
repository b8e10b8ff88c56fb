import { createWorker } from 'mediasoup';
import { expect, onTestFinished, test } from 'vitest';
import { builtVersion, workerFault } from '../../../src/setup/worker/probe.ts';
import { findWorkerTarget } from '../../../src/setup/worker/target.ts';
import { workerBin } from '../../support/worker.ts';

test('the provided worker runs, has the version of mediasoup, and makes a transport', async () => {
  const { version } = findWorkerTarget();
  expect(await workerFault(workerBin(), version)).toBeUndefined();
  expect([version, undefined]).toContain(await builtVersion(workerBin()));

  const worker = await createWorker({ workerBin: workerBin(), logLevel: 'none' });
  onTestFinished(() => worker.close());
  const router = await worker.createRouter({
    mediaCodecs: [{ kind: 'audio', mimeType: 'audio/opus', clockRate: 48_000, channels: 2 }],
  });
  const transport = await router.createWebRtcTransport({
    listenInfos: [{ protocol: 'udp', ip: '127.0.0.1' }],
  });
  expect(transport.iceCandidates).toHaveLength(1);
  expect(transport.dtlsParameters.fingerprints.map(({ algorithm }) => algorithm)).toContain('sha-256');
  transport.close();
  router.close();
});
