/** `GET /objects/*` over a folder and over an S3. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startS3, type TestS3 } from '../../support/s3.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { rest } from '../../support/signaling.ts';

const CONTENT = 'hello, world';

/** A server over each kind of store. */
const kinds = [
  { name: 'folder', start: async () => ({ server: await startTestServer(), s3: undefined }) },
  {
    name: 's3',
    start: async () => {
      const s3 = await startS3();
      vi.stubEnv('AWS_ACCESS_KEY_ID', s3.credentials.accessKeyId);
      vi.stubEnv('AWS_SECRET_ACCESS_KEY', s3.credentials.secretAccessKey);
      const objectsUrl = `s3://${s3.bucket}/meet?endpoint=${s3.endpoint}&region=us-east-1&pathStyle=1`;
      return { server: await startTestServer({ objectsUrl }), s3 };
    },
  },
];

describe.each(kinds)('objects in a $name', ({ name, start }) => {
  let server: TestServer;
  let s3: TestS3 | undefined;
  beforeAll(async () => {
    ({ server, s3 } = await start());
    await server.objects.put('chat/hello.txt', Buffer.from(CONTENT));
  });
  afterAll(async () => {
    await server?.close();
    await s3?.stop();
    vi.unstubAllEnvs();
  });
  const link = (downloadName?: string) =>
    server.links.sign('chat/hello.txt', {
      expiresInSeconds: 60,
      ...(downloadName === undefined ? {} : { downloadName }),
    });
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(`${server.url}${path}`, { headers });

  test('are read by a signed link, whole or in part', async () => {
    const whole = await get(link('grüße.txt'));
    expect([whole.status, await whole.text()]).toEqual([200, CONTENT]);
    expect(whole.headers.get('content-type')).toContain('text/plain');
    expect(whole.headers.get('content-disposition')).toContain("filename*=UTF-8''gr%C3%BC%C3%9Fe.txt");
    const part = await get(link(), { range: 'bytes=7-' });
    expect([part.status, part.headers.get('content-range'), await part.text()]).toEqual([
      206,
      'bytes 7-11/12',
      'world',
    ]);
  });

  test('of an S3 do not pass through the server', async () => {
    const reply = await fetch(`${server.url}${link()}`, { redirect: 'manual' });
    expect(reply.status).toBe(name === 's3' ? 302 : 200);
    if (s3 === undefined) return;
    const to = reply.headers.get('location') ?? '';
    expect(to.startsWith(`${s3.endpoint}/${s3.bucket}/meet/chat/hello.txt?`)).toBe(true);
    expect(Number(new URL(to).searchParams.get('X-Amz-Expires'))).toBeLessThanOrEqual(60);
  });

  test.each([
    ['forged', () => `${link().slice(0, -4)}AAAA`],
    ['unsigned', () => '/objects/chat/hello.txt'],
    ['of another', () => link().replace('hello', 'other')],
  ])('are refused by a link that is %s', async (_what, path) => {
    expect(await rest(server.url, 'GET', path())).toMatchObject({
      status: 403,
      body: { error: { code: 'forbidden' } },
    });
  });
});

describe('objects of the folder', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
    await server.objects.put('chat/hello.txt', Buffer.from(CONTENT));
  });
  afterAll(() => server.close());
  const url = (key: string) => `${server.url}${server.links.sign(key, { expiresInSeconds: 60 })}`;

  test('run nothing under the server’s origin', async () => {
    await server.objects.put('chat/page.html', Buffer.from('<script>1</script>'), {
      contentType: 'text/html',
    });
    const { headers } = await fetch(url('chat/page.html'));
    expect(headers.get('content-type')).toBe('text/html');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toMatch(/^sandbox; default-src 'none';/);
    expect(headers.get('access-control-allow-origin')).toBe('*');
  });

  test('a range beyond the end is refused with the size', async () => {
    const reply = await fetch(url('chat/hello.txt'), { headers: { range: 'bytes=12-20' } });
    expect([reply.status, reply.headers.get('content-range')]).toEqual([416, 'bytes */12']);
    expect(await reply.json()).toMatchObject({ error: { code: 'range-not-satisfiable' } });
  });

  test.each(['bytes=5-2', 'bytes=0-1,4-5', 'bytes=-3', 'lines=1-2', 'bytes=a-b'])(
    'the range %s is answered with all of it',
    async (range) => {
      const reply = await fetch(url('chat/hello.txt'), { headers: { range } });
      expect([reply.status, await reply.text()]).toEqual([200, CONTENT]);
    },
  );

  test('a range of what was replaced meanwhile is answered with all of it', async () => {
    await server.objects.put('chat/new.txt', Buffer.from('old content'));
    const etag = (await fetch(url('chat/new.txt'))).headers.get('etag') ?? '';
    const resume = async () => {
      const reply = await fetch(url('chat/new.txt'), { headers: { range: 'bytes=4-', 'if-range': etag } });
      return [reply.status, await reply.text()];
    };
    expect(await resume()).toEqual([206, 'content']);
    await server.objects.put('chat/new.txt', Buffer.from('new content!'));
    expect(await resume()).toEqual([200, 'new content!']);
  });

  test('HEAD tells the size and sends nothing', async () => {
    const reply = await fetch(url('chat/hello.txt'), { method: 'HEAD' });
    expect([reply.status, reply.headers.get('content-length'), await reply.text()]).toEqual([200, '12', '']);
  });

  test('what is gone is not found', async () => {
    expect((await fetch(url('chat/nothing.txt'))).status).toBe(404);
  });
});
