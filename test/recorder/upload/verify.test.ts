/** What is said to be stored is stored, and nothing local goes before. */
import { createHash } from 'node:crypto';
import { access, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { MeetError } from '../../../src/protocol/errors.ts';
import {
  openUploadTarget,
  type TargetOptions,
  type UploadRecordingOptions,
  uploadRecording,
} from '../../../src/recorder/upload/index.ts';
import { startS3, type TestS3 } from '../../support/s3.ts';
import { isPart, startFaultProxy } from '../../support/s3-fault-proxy.ts';
import {
  locationOf,
  makeRecording,
  PART_BYTES,
  QUICK,
  readJson,
  sha256,
  temporaryFolder,
} from './recordings.ts';

const SIZES = { 'recording.mp4': 4 * PART_BYTES + 5, 'events.jsonl': 900, 'tracks/ann.mkv': 2 * PART_BYTES };
const options = { keyPrefix: 'm', partBytes: PART_BYTES, retry: { ...QUICK, attempts: 4 } };

let s3: TestS3;
let folder: string;
beforeAll(async () => {
  s3 = await startS3();
});
afterAll(() => s3?.stop());
beforeEach(async () => {
  folder = await temporaryFolder();
});

async function upload(
  how: { location?: string; target?: TargetOptions; options?: UploadRecordingOptions } = {},
) {
  const target = await openUploadTarget(how.location ?? locationOf(s3), {
    credentials: s3.credentials,
    ...how.target,
  });
  try {
    return await uploadRecording(folder, target, { ...options, ...how.options });
  } finally {
    target.close();
  }
}

const exists = (file: string) =>
  access(join(folder, file)).then(
    () => true,
    () => false,
  );
const verifiedBy = ({ stored }: Awaited<ReturnType<typeof upload>>) =>
  new Set(stored.map((object) => object.verifiedBy));

describe('how it is known', () => {
  test('by checksums under SSE-KMS, with the key, the class and the tags that were asked for', async () => {
    await makeRecording(folder, SIZES);
    const traits = {
      sse: 'aws:kms:alias/meetings',
      storageClass: 'STANDARD_IA',
      tags: { team: 'a&b', kind: 'meeting' },
    };
    const report = await upload({ target: { traits } });
    expect(report.failed).toEqual([]);
    expect(verifiedBy(report)).toEqual(new Set(['checksum']));
    for (const key of ['rec/m/recording.mp4', 'rec/m/events.jsonl']) {
      expect(await s3.metadataOf(key)).toMatchObject({
        'x-amz-server-side-encryption': 'aws:kms',
        'x-amz-storage-class': 'STANDARD_IA',
        'x-amz-tagging': 'team=a%26b&kind=meeting',
      });
    }
    expect(await s3.metadataOf('rec/m/recording.mp4')).toMatchObject({ 'content-type': 'video/mp4' });
  });

  test.each([
    ['no-checksums', 'etag', 'etag'],
    ['plain', 'content', 'etag'],
  ] as const)('by its ETags or by reading back, from a server that is %s', async (kind, ofParts, ofOne) => {
    const server = await startS3({ kind });
    onTestFinished(() => server.stop());
    const files = await makeRecording(folder, SIZES);
    const report = await upload({
      location: locationOf(server),
      target: { credentials: server.credentials },
    });
    expect(report.failed).toEqual([]);
    expect(Object.fromEntries(report.stored.map((object) => [object.file, object.verifiedBy]))).toEqual({
      'recording.mp4': ofParts,
      'tracks/ann.mkv': ofParts,
      'events.jsonl': ofOne,
    });
    for (const [file, bytes] of files)
      expect(sha256(await readFile(server.fileOf(`rec/m/${file}`)))).toBe(sha256(bytes));
  });

  test('a class that the server does not know is refused in its words', async () => {
    await makeRecording(folder, SIZES);
    const { failed, stored } = await upload({ target: { traits: { storageClass: 'BASEMENT' } } });
    expect(stored).toEqual([]);
    expect(failed).toHaveLength(3);
    expect(failed[0]?.error.message).toMatch(/storage class you specified is not valid/);
  });
});

describe('damage', () => {
  /** Changes a byte of each part before the object is made of them, so often. */
  const damaging = async (times: number) => {
    let left = times;
    const proxy = await startFaultProxy(s3.endpoint, ({ method, url }) => {
      const [, uploadId] = /^POST .*[?&]uploadId=([^&]+)/.exec(`${method} ${url}`) ?? [];
      if (uploadId !== undefined && left-- > 0) damage.push(uploadId);
      return undefined;
    });
    const damage: string[] = [];
    proxy.before = async () => {
      for (const uploadId of damage.splice(0)) {
        const path = join(s3.uploadFolder(uploadId), '2');
        const bytes = await readFile(path);
        bytes[100]! ^= 1;
        await writeFile(path, bytes);
      }
    };
    onTestFinished(() => proxy.close());
    return locationOf({ ...s3, endpoint: proxy.endpoint });
  };

  test('of a part at the store is noticed, and the object made again', async () => {
    const files = await makeRecording(folder, { 'recording.mp4': SIZES['recording.mp4'] });
    const report = await upload({ location: await damaging(1) });
    expect(report.failed).toEqual([]);
    expect(sha256(await readFile(s3.fileOf('rec/m/recording.mp4')))).toBe(
      sha256(files.get('recording.mp4')!),
    );
  });

  test('that does not end is an error, and the local file stays', async () => {
    const files = await makeRecording(folder, { 'recording.mp4': SIZES['recording.mp4'] });
    const location = await damaging(Number.POSITIVE_INFINITY);
    const report = await upload({ location, options: { removeLocal: true } });
    expect(report).toMatchObject({
      stored: [],
      removed: [],
      failed: [{ error: { code: 'object-damaged' } }],
    });
    expect(sha256(await readFile(join(folder, 'recording.mp4')))).toBe(sha256(files.get('recording.mp4')!));
    // The next run has a better day.
    expect((await upload()).failed).toEqual([]);
    expect(sha256(await readFile(s3.fileOf('rec/m/recording.mp4')))).toBe(
      sha256(files.get('recording.mp4')!),
    );
  });

  test('after the upload keeps the local file', async () => {
    await makeRecording(folder, SIZES);
    await upload();
    const path = s3.fileOf('rec/m/recording.mp4');
    const bytes = await readFile(path);
    bytes[7]! ^= 1;
    await writeFile(path, bytes);
    await writeFile(`${path}.md5`, createHash('md5').update(bytes).digest('hex'));
    const metadata = path.replace(/object$/, 'metadata.json');
    await writeFile(metadata, '{}');
    await expect(upload({ options: { removeLocal: true } })).rejects.toMatchObject({
      code: 'object-damaged',
    });
    expect(await exists('recording.mp4')).toBe(true);
  });
});

describe('the local copy', () => {
  test('stays unless told otherwise, and goes when it is; the next run has nothing to do', async () => {
    await makeRecording(folder, { ...SIZES, 'live.mp4': 1_000 });
    expect((await upload()).removed).toEqual([]);
    const report = await upload({ options: { removeLocal: true } });
    expect(new Set(report.removed)).toEqual(new Set(['recording.mp4', 'live.mp4', 'tracks/ann.mkv']));
    expect(await exists('events.jsonl')).toBe(true);
    expect(await exists('recording.mp4')).toBe(false);
    expect(await upload({ options: { removeLocal: true } })).toMatchObject({
      failed: [],
      removed: [],
      stored: [{ file: 'events.jsonl', unchanged: true }],
    });
    expect((await readFile(s3.fileOf('rec/m/recording.mp4'))).length).toBe(SIZES['recording.mp4']);
  });

  test('that has changed is uploaded again', async () => {
    await makeRecording(folder, SIZES);
    await upload();
    await writeFile(join(folder, 'events.jsonl'), 'other');
    await utimes(join(folder, 'events.jsonl'), 1, 1);
    const { stored } = await upload();
    expect(stored.filter(({ unchanged }) => !unchanged).map(({ file }) => file)).toEqual(['events.jsonl']);
    expect(await readFile(s3.fileOf('rec/m/events.jsonl'), 'utf8')).toBe('other');
  });

  test('without a journal is uploaded again, and stays', async () => {
    await makeRecording(folder, SIZES);
    await upload();
    await writeFile(join(folder, 'upload.json'), '{"version":1,"targ');
    const { stored } = await upload();
    expect(stored.map(({ unchanged }) => unchanged)).toEqual([false, false, false]);
    expect(await readJson(join(folder, 'upload.json'))).toMatchObject({ version: 1 });
  });
});

describe('what nothing can be uploaded to', () => {
  const failing = async (location: string, credentials = s3.credentials): Promise<MeetError> => {
    const files = await makeRecording(folder, SIZES);
    const report = await upload({ location, target: { credentials } });
    expect(report.stored).toEqual([]);
    // The first failure ends it: the others would wait for the same.
    expect(report.failed).toHaveLength(1);
    for (const [file, bytes] of files) expect(await readFile(join(folder, file))).toEqual(bytes);
    return report.failed[0]!.error;
  };

  test('wrong credentials', async () => {
    const error = await failing(locationOf(s3), { ...s3.credentials, secretAccessKey: 'wrong' });
    expect(error).toMatchObject({
      code: 'storage-failed',
      message: expect.stringContaining('refused the credentials'),
      hint: expect.stringContaining('AWS_ACCESS_KEY_ID'),
    });
  });

  test('a bucket that is not there', async () => {
    const error = await failing(locationOf({ ...s3, bucket: 'elsewhere' }));
    expect(error).toMatchObject({ code: 'storage-failed', message: 'There is no bucket elsewhere.' });
  });

  test('a server that is not there', async () => {
    const gone = await startS3();
    await gone.stop();
    const error = await failing(locationOf(gone));
    expect(error).toMatchObject({
      code: 'storage-failed',
      message: expect.stringContaining('cannot be reached (ECONNREFUSED)'),
    });
  });
});

test('credentials that may write and not read: the reply counts, and the local copy stays', async () => {
  const files = await makeRecording(folder, SIZES);
  const proxy = await startFaultProxy(s3.endpoint, ({ method, url }) =>
    method === 'HEAD' || (method === 'GET' && !url.includes('uploadId=')) ? 'AccessDenied' : undefined,
  );
  onTestFinished(() => proxy.close());
  const location = locationOf({ ...s3, endpoint: proxy.endpoint });
  const report = await upload({ location, options: { removeLocal: true } });
  expect(report).toMatchObject({ failed: [], removed: [] });
  expect(verifiedBy(report)).toEqual(new Set(['reply']));
  for (const [file, bytes] of files) {
    expect(sha256(await readFile(s3.fileOf(`rec/m/${file}`)))).toBe(sha256(bytes));
    expect(await exists(file)).toBe(true);
  }
});

test('credentials that have expired are looked up again', async () => {
  const files = await makeRecording(folder, SIZES);
  const clients = new Set<string>();
  let parts = 0;
  const proxy = await startFaultProxy(s3.endpoint, (request) =>
    isPart(request) && ++parts === 2 ? 'ExpiredToken' : undefined,
  );
  onTestFinished(() => proxy.close());
  const credentials = async () => {
    clients.add(`${clients.size}`);
    return s3.credentials;
  };
  const location = locationOf({ ...s3, endpoint: proxy.endpoint });
  expect((await upload({ location, target: { credentials } })).failed).toEqual([]);
  expect(clients.size).toBe(2);
  expect(sha256(await readFile(s3.fileOf('rec/m/recording.mp4')))).toBe(sha256(files.get('recording.mp4')!));
});

test('a folder without a recording', async () => {
  await rm(folder, { recursive: true });
  await expect(upload()).rejects.toMatchObject({ code: 'not-found' });
});
