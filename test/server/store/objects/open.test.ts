import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { MeetError } from '../../../../src/protocol/errors.ts';
import { openObjectStore } from '../../../../src/server/store/index.ts';
import { startS3, type TestS3 } from '../../../support/s3.ts';
import { SECRET } from './object-stores.ts';

async function refusal(url: string, credentials?: TestS3['credentials']): Promise<MeetError> {
  const error = await openObjectStore(url, { secret: SECRET, ...(credentials && { credentials }) }).catch(
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(MeetError);
  return error as MeetError;
}

describe('opening an object store', () => {
  let server: TestS3;
  beforeAll(async () => {
    server = await startS3();
  });
  afterAll(() => server?.stop());
  const at = (bucket: string, endpoint = server.endpoint) =>
    `s3://${bucket}?endpoint=${encodeURIComponent(endpoint)}&region=us-east-1&pathStyle=1`;

  test.each([
    ['s3:///no-bucket', 'bucket'],
    ['s3://UPPER_case/', 'bucket'],
    ['s3://key:secret@bucket/', 'credentials'],
    ['s3://bucket/?endpoint=localhost:9000', 'endpoint'],
    ['s3://bucket/?pathstyle=1', 'unknown parameter'],
    ['ftp://host/folder', 'ftp:'],
  ])('%s: bad configuration', async (url, sentence) => {
    const error = await refusal(url, { accessKeyId: 'x', secretAccessKey: 'y' });
    expect(error).toMatchObject({ code: 'bad-config', message: expect.stringContaining(sentence) });
    expect(error.message).not.toContain('secret@');
  });

  test('without that bucket', async () => {
    expect(await refusal(at('missing'), server.credentials)).toMatchObject({
      code: 'storage-failed',
      message: 'There is no bucket missing.',
    });
  });

  test('with wrong credentials', async () => {
    const wrong = { ...server.credentials, secretAccessKey: 'wrong' };
    expect(await refusal(at(server.bucket), wrong)).toMatchObject({
      code: 'storage-failed',
      message: expect.stringContaining('refused the credentials'),
      hint: expect.stringContaining('AWS_ACCESS_KEY_ID'),
    });
  });

  describe('with the credentials of the environment', () => {
    afterEach(() => {
      vi.unstubAllEnvs();
    });
    const environment = (variables: Record<string, string>) => {
      for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_PROFILE']) {
        vi.stubEnv(name, undefined);
      }
      // The last link of the SDK's chain would ask an address on the network.
      vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
      vi.stubEnv('AWS_CONFIG_FILE', '/dev/null');
      vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/dev/null');
      for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
    };

    test('that has none', async () => {
      environment({});
      expect(await refusal(at(server.bucket))).toMatchObject({
        code: 'storage-failed',
        message: expect.stringContaining('no credentials'),
      });
    });

    test('that has some opens', async () => {
      const { accessKeyId, secretAccessKey } = server.credentials;
      environment({ AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey });
      const store = await openObjectStore(at(server.bucket), { secret: SECRET });
      expect(await store.put('a.txt', Buffer.from('x'))).toMatchObject({ size: 1 });
      store.close();
    });
  });

  test('where nothing listens', async () => {
    const gone = await startS3();
    await gone.stop();
    expect(await refusal(at('any-bucket', gone.endpoint), server.credentials)).toMatchObject({
      code: 'storage-failed',
      message: expect.stringContaining('cannot be reached (ECONNREFUSED)'),
    });
  });

  test('that goes away later', async () => {
    const brief = await startS3();
    const store = await openObjectStore(at(brief.bucket, brief.endpoint), {
      secret: SECRET,
      credentials: brief.credentials,
    });
    await store.put('a.txt', Buffer.from('x'));
    await brief.stop();
    const failing = { name: 'MeetError', code: 'storage-failed' };
    await expect(store.put('b.txt', Buffer.from('x'))).rejects.toMatchObject(failing);
    await expect(store.get('a.txt')).rejects.toMatchObject(failing);
    await expect(store.head('a.txt')).rejects.toMatchObject(failing);
    const list = async () => {
      for await (const { key } of store.list()) expect.unreachable(key);
    };
    await expect(list()).rejects.toMatchObject(failing);
    store.close();
    store.close();
  });
});
