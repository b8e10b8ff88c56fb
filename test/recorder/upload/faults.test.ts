/** Two hundred faults on the way to S3, and nothing is lost. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LiveUpload, openUploadTarget, uploadRecording } from '../../../src/recorder/upload/index.ts';
import { startS3, type TestS3 } from '../../support/s3.ts';
import {
  FAULTS,
  type Fault,
  type FaultProxy,
  isPart,
  startFaultProxy,
} from '../../support/s3-fault-proxy.ts';
import {
  fragmentOf,
  LiveFile,
  locationOf,
  makeRecording,
  PART_BYTES,
  QUICK,
  sha256,
  temporaryFolder,
} from './recordings.ts';

const WANTED = 200;
/** Silence is waited for. */
const IDLE_TIMEOUT_MS = 400;

let s3: TestS3;
let proxy: FaultProxy;
/** Every second request fails, in each way in turn, until the faults are used up. */
let requests = 0;
let faults = 0;
const nextFault = (request: Parameters<typeof isPart>[0]): Fault | undefined => {
  if (faults >= WANTED || requests++ % 2 === 0) return undefined;
  const fault = FAULTS[faults % FAULTS.length]!;
  faults += 1;
  // There is an ETag only in the replies to what is put.
  return fault === 'wrong-etag' && !isPart(request) ? 'lost-reply' : fault;
};

beforeAll(async () => {
  s3 = await startS3();
  proxy = await startFaultProxy(s3.endpoint, nextFault);
});
afterAll(async () => {
  await proxy?.close();
  await s3?.stop();
});

const open = () =>
  openUploadTarget(locationOf({ ...s3, endpoint: proxy.endpoint }), {
    credentials: s3.credentials,
    idleTimeoutMs: IDLE_TIMEOUT_MS,
  });

describe('with every second request failing', () => {
  test('a live upload loses nothing', { timeout: 60_000 }, async () => {
    const folder = await temporaryFolder();
    const local = new LiveFile(folder);
    const target = await open();
    const live = await LiveUpload.open({
      folder,
      target,
      file: 'live.mp4',
      key: 'live/recording.mp4',
      local,
      partBytes: PART_BYTES,
      retry: { ...QUICK, stubborn: true },
    });
    live.init(local.append(fragmentOf(0, 1_500).bytes));
    for (let sequence = 1; sequence <= 60; sequence++) {
      const fragment = fragmentOf(sequence, 50_000);
      local.append(fragment.bytes);
      live.fragment(fragment);
    }
    expect(await live.close()).toMatchObject({ state: 'stored', verification: { by: 'checksum' } });
    expect(sha256(await readFile(s3.fileOf('rec/live/recording.mp4')))).toBe(
      sha256(await readFile(local.path)),
    );
    target.close();
  });

  test('folders of recordings lose nothing', { timeout: 120_000 }, async () => {
    for (let recording = 1; faults < WANTED; recording++) {
      const folder = await temporaryFolder();
      const files = await makeRecording(folder, {
        'recording.mp4': 20 * PART_BYTES + 77,
        'events.jsonl': 4_000,
        'transcript.vtt': 0,
        'tracks/ann-camera.mkv': 5 * PART_BYTES,
        'tracks/ann-microphone.mkv': 2 * PART_BYTES + 1,
      });
      const target = await open();
      const report = await uploadRecording(folder, target, {
        keyPrefix: `r${recording}`,
        partBytes: PART_BYTES,
        retry: QUICK,
      });
      expect(report.failed).toEqual([]);
      for (const [file, bytes] of files) {
        expect(sha256(await readFile(s3.fileOf(`rec/r${recording}/${file}`)))).toBe(sha256(bytes));
        expect(sha256(await readFile(`${folder}/${file}`))).toBe(sha256(bytes));
      }
      target.close();
    }
    expect([...proxy.injected.values()].reduce((sum, count) => sum + count)).toBe(WANTED);
    expect(new Set(proxy.injected.keys())).toEqual(new Set(FAULTS));
  });
});
