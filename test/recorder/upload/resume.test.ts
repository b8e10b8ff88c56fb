/** Whatever dies in the middle, the next run uploads only the rest. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { LiveUpload, openUploadTarget, uploadRecording } from '../../../src/recorder/upload/index.ts';
import { startS3, type TestS3 } from '../../support/s3.ts';
import { isPart, startFaultProxy } from '../../support/s3-fault-proxy.ts';
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

const UPLOADER = fileURLToPath(new URL('uploader.ts', import.meta.url));
const KEY = 'rec/meeting/recording.mp4';

let s3: TestS3;
beforeAll(async () => {
  s3 = await startS3();
});
afterAll(() => s3?.stop());

const open = (endpoint = s3.endpoint) =>
  openUploadTarget(locationOf({ ...s3, endpoint }), { credentials: s3.credentials });
const options = { keyPrefix: 'meeting', partBytes: PART_BYTES, retry: QUICK };

test('an uploader that is killed: the next one sends what is missing, and no more', {
  timeout: 40_000,
}, async () => {
  const folder = await temporaryFolder();
  const { accessKeyId, secretAccessKey } = s3.credentials;
  const proxy = await startFaultProxy(s3.endpoint, () => undefined);
  onTestFinished(() => proxy.close());
  const location = locationOf({ ...s3, endpoint: proxy.endpoint });
  const child = spawn(process.execPath, [UPLOADER, folder, location, accessKeyId, secretAccessKey], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  // Fewer bytes at a time than a pipe holds, so that each write is a fragment.
  for (let count = 0; count < 40; count++) child.stdin.write(randomBytes(30_000));
  for (let told = 0; told < 10; told++) await lines.next();
  child.kill('SIGKILL');
  await once(child, 'exit');

  const { size } = await stat(join(folder, 'live.mp4'));
  const parts = Math.ceil(size / PART_BYTES);
  const [before = ''] = await s3.openUploads();
  const sent = proxy.seen.length;
  const target = await open(proxy.endpoint);
  const report = await uploadRecording(folder, target, options);
  expect(report).toMatchObject({
    failed: [],
    stored: [{ file: 'live.mp4', key: 'meeting/recording.mp4', size }],
  });
  const resent = proxy.seen.slice(sent).filter(isPart);
  expect(resent.length).toBeLessThanOrEqual(parts - 10);
  expect(resent.every(({ url }) => url.includes(before))).toBe(true);
  expect(sha256(await readFile(s3.fileOf(KEY)))).toBe(sha256(await readFile(join(folder, 'live.mp4'))));
  expect(await s3.openUploads()).toEqual([]);

  const seen = proxy.seen.length;
  expect(await uploadRecording(folder, target, options)).toMatchObject({ stored: [{ unchanged: true }] });
  expect(proxy.seen.length).toBe(seen);
  target.close();
});

test('a recorder that is started again goes on with its upload, after cutting a broken fragment off', async () => {
  const folder = await temporaryFolder();
  const target = await open();
  const first = new LiveFile(folder);
  const aborted = new AbortController();
  const base = { folder, target, file: 'live.mp4', key: 'meeting/recording.mp4', ...options };
  const live = await LiveUpload.open({ ...base, local: first, signal: aborted.signal });
  const arrived = new Promise<void>((resolve) => {
    live.on('part', ({ number }) => number === 4 && resolve());
  });
  for (let sequence = 1; sequence <= 10; sequence++) {
    const fragment = fragmentOf(sequence, 40_000);
    first.append(fragment.bytes);
    live.fragment(fragment);
  }
  await arrived;
  aborted.abort(new Error('killed'));
  expect(await live.close()).toMatchObject({ state: 'pending' });

  // Less than what is uploaded, and then something else than what was there.
  await truncate(first.path, 3 * PART_BYTES + 100);
  const second = new LiveFile(folder);
  second.append(Buffer.alloc(0));
  Object.defineProperty(second, 'written', { value: () => size });
  let size = 3 * PART_BYTES + 100;
  const again = await LiveUpload.open({ ...base, local: second });
  for (let sequence = 5; sequence <= 12; sequence++) {
    const fragment = fragmentOf(sequence, 50_000);
    second.append(fragment.bytes);
    size += fragment.bytes.length;
    again.fragment(fragment);
  }
  expect(await again.close()).toMatchObject({ state: 'stored', verification: { size } });
  expect(sha256(await readFile(s3.fileOf(KEY)))).toBe(sha256(await readFile(first.path)));
  target.close();
});

test('an S3 that stops and starts again in the middle', async () => {
  const folder = await temporaryFolder();
  const target = await open();
  const local = new LiveFile(folder);
  const live = await LiveUpload.open({
    folder,
    target,
    file: 'live.mp4',
    key: 'meeting/recording.mp4',
    local,
    partBytes: PART_BYTES,
    retry: { ...QUICK, attempts: Number.POSITIVE_INFINITY, stubborn: true },
  });
  const record = (from: number, to: number) => {
    for (let sequence = from; sequence <= to; sequence++) {
      const fragment = fragmentOf(sequence, 40_000);
      local.append(fragment.bytes);
      live.fragment(fragment);
    }
  };
  const part = once(live, 'part');
  record(1, 10);
  await part;
  await s3.halt();
  const fault = once(live, 'fault');
  record(11, 20);
  const [{ error }] = await fault;
  expect(error).toMatchObject({ code: 'storage-failed' });
  await s3.resume();
  record(21, 30);
  expect(await live.close()).toMatchObject({ state: 'stored' });
  expect(sha256(await readFile(s3.fileOf(KEY)))).toBe(sha256(await readFile(local.path)));
  target.close();
});

test('an upload that somebody has thrown away begins anew', async () => {
  const folder = await temporaryFolder();
  const target = await open();
  const local = new LiveFile(folder);
  const live = await LiveUpload.open({
    folder,
    target,
    file: 'live.mp4',
    key: 'meeting/recording.mp4',
    local,
    ...options,
  });
  const record = () => {
    const fragment = fragmentOf(1, 100_000);
    local.append(fragment.bytes);
    live.fragment(fragment);
  };
  const part = once(live, 'part');
  record();
  await part;
  const [uploadId = ''] = await s3.openUploads();
  await target.abort({ key: 'meeting/recording.mp4', uploadId, checksums: true });
  for (let count = 0; count < 10; count++) record();
  expect(await live.close()).toMatchObject({ state: 'stored' });
  expect(sha256(await readFile(s3.fileOf(KEY)))).toBe(sha256(await readFile(local.path)));
  target.close();
});

test('the finished file takes the place of the live one, whose unfinished upload is thrown away', async () => {
  const folder = await temporaryFolder();
  const target = await open();
  const local = new LiveFile(folder);
  const live = await LiveUpload.open({
    folder,
    target,
    file: 'live.mp4',
    key: 'meeting/recording.mp4',
    local,
    ...options,
    finishMs: 1,
  });
  const part = once(live, 'part');
  for (let sequence = 1; sequence <= 5; sequence++) {
    const fragment = fragmentOf(sequence, 50_000);
    local.append(fragment.bytes);
    live.fragment(fragment);
  }
  await part;
  await s3.halt();
  expect(await live.close()).toMatchObject({ state: 'pending', error: { code: 'storage-failed' } });
  await s3.resume();
  expect(await s3.openUploads()).toHaveLength(1);

  const files = await makeRecording(folder, {
    'recording.mp4': 4 * PART_BYTES,
    'thumbnails/00001.jpg': 3_000,
  });
  const report = await uploadRecording(folder, target, options);
  expect(report.failed).toEqual([]);
  expect(report.stored.map(({ key }) => key).sort()).toEqual([
    'meeting/recording.mp4',
    'meeting/thumbnails/00001.jpg',
  ]);
  expect(await s3.openUploads()).toEqual([]);
  expect(sha256(await readFile(s3.fileOf(KEY)))).toBe(sha256(files.get('recording.mp4')!));
  target.close();
});
