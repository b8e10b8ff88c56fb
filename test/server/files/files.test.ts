/** Files of the chat, from a participant's upload to another's download, past a real clamd. */
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ChatMessage, FileInfo, FileLink } from '../../../src/protocol/chat.ts';
import { clamdMissing, EICAR, startClamd, type TestClamd } from '../../support/clamd.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { connect, createMeeting, type MeetingMember, rest } from '../../support/signaling.ts';

const MAX_SIZE = 256 * 1024;
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

interface Sent {
  readonly status: number;
  readonly body: FileInfo & { readonly error?: { readonly code: string; readonly message: string } };
}

async function upload(
  server: TestServer,
  { meetingId, token }: Pick<MeetingMember, 'meetingId' | 'token'>,
  { name = 'notes.txt', type = '', content }: { name?: string; type?: string; content: string | Uint8Array },
): Promise<Sent> {
  const form = new FormData();
  form.append('file', new File([content as string], name, { type }));
  const reply = await fetch(`${server.url}/meetings/${meetingId}/files`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: form,
  });
  return { status: reply.status, body: (await reply.json()) as Sent['body'] };
}

/** Everything that the server keeps on its disk of uploads. */
async function kept(server: TestServer): Promise<string[]> {
  const objects = [];
  for await (const { key } of server.objects.list('meetings/')) objects.push(key);
  return [...objects, ...(await readdir(join(server.dataDir, 'uploads')))];
}

async function members(server: TestServer, ...names: string[]): Promise<MeetingMember[]> {
  const { meeting } = await createMeeting(server.url);
  const joined = [];
  for (const name of names) joined.push(await connect(server.url, meeting.id, name));
  return joined;
}

describe.skipIf(clamdMissing() !== undefined)('with a scanner', () => {
  let clamd: TestClamd;
  let server: TestServer;
  let ann: MeetingMember;
  let bob: MeetingMember;
  beforeAll(async () => {
    clamd = await startClamd();
    server = await startTestServer({ clamdUrl: clamd.url, maxFileSize: MAX_SIZE, chatRate: false });
    [ann, bob] = (await members(server, 'Ann', 'Bob')) as [MeetingMember, MeetingMember];
  });
  afterAll(async () => {
    await server?.close();
    await clamd?.stop();
  });
  const link = (member: MeetingMember, fileId: string) =>
    rest<FileLink>(server.url, 'GET', `/meetings/${member.meetingId}/files/${fileId}`, {
      token: member.token,
    });

  test('a file is uploaded, sent and fetched', async () => {
    const { status, body: file } = await upload(server, ann, { name: 'grüße.txt', content: 'hello' });
    expect(status).toBe(201);
    expect(file).toMatchObject({ name: 'grüße.txt', size: 5, contentType: 'text/plain; charset=utf-8' });
    expect(file.expiresAt - file.createdAt).toBe(30 * 24 * 3_600_000);
    // Nobody sees it before it is sent.
    expect((await link(bob, file.id)).status).toBe(404);
    const sent = await ann.client.request('message', { content: 'look', fileId: file.id });
    expect(sent.payload).toMatchObject({ message: { file: { id: file.id, name: 'grüße.txt' } } });
    const [message] = (await bob.client.next('chat')).payload.messages as [ChatMessage];
    expect(message.file).toEqual(file);
    const { body } = await link(bob, file.id);
    const fetched = await fetch(body.url);
    expect(await fetched.text()).toBe('hello');
    expect(fetched.headers.get('content-disposition')).toContain("filename*=UTF-8''gr%C3%BC%C3%9Fe.txt");
  });

  test('one in a private message is for the two alone', async () => {
    const eve = await connect(server.url, ann.meetingId, 'Eve');
    const { body: file } = await upload(server, ann, { content: 'secret' });
    await ann.client.request('message', { content: '', recipientId: bob.id, fileId: file.id });
    expect((await link(bob, file.id)).status).toBe(200);
    expect((await link(ann, file.id)).status).toBe(200);
    expect((await link(eve, file.id)).status).toBe(404);
    // Nor can anybody else send it on.
    const stolen = await bob.client.request('message', { content: 'mine', fileId: file.id });
    expect(stolen.payload).toMatchObject({ code: 'not-found' });
    await eve.client.leave();
  });

  test.each([
    ['alone', EICAR],
    ['inside something else', `Dear all,\n${EICAR}\nregards`],
  ])('EICAR %s is refused by the name of the finding, and nothing of it is kept', async (_, content) => {
    const before = await kept(server);
    const { status, body } = await upload(server, ann, { name: 'report.txt', content });
    expect(status).toBe(422);
    expect(body.error).toMatchObject({
      code: 'file-infected',
      message: expect.stringContaining('Eicar-Test'),
    });
    expect(await kept(server)).toEqual(before);
  });

  test.each([
    ['without content', { content: '' }, 400, 'bad-request'],
    ['over the limit', { content: 'x'.repeat(MAX_SIZE + 1) }, 413, 'too-large'],
    ['far over the limit', { content: 'x'.repeat(MAX_SIZE * 8) }, 413, 'too-large'],
    ['that is no picture', { content: 'text', name: 'a.png', type: 'image/png' }, 415, 'file-type-refused'],
    ['that is no text', { content: PNG, name: 'a.txt', type: 'text/plain' }, 415, 'file-type-refused'],
    [
      'that is a program',
      { content: Buffer.from('7f454c46020101', 'hex'), name: 'a' },
      415,
      'file-type-refused',
    ],
    ['named as a program', { content: 'echo', name: 'setup.exe' }, 415, 'file-type-refused'],
  ])('a file %s is refused', async (_, file, status, code) => {
    const before = await kept(server);
    const reply = await upload(server, ann, file);
    expect([reply.status, reply.body.error?.code]).toEqual([status, code]);
    expect(await kept(server)).toEqual(before);
  });

  test('the largest file that is taken arrives whole', async () => {
    const content = Buffer.alloc(MAX_SIZE, 'meet');
    const { status, body } = await upload(server, ann, { content });
    expect([status, body.size]).toEqual([201, MAX_SIZE]);
    const fetched = await fetch((await link(ann, body.id)).body.url);
    expect(Buffer.from(await fetched.arrayBuffer()).equals(content)).toBe(true);
  });

  test('a type is that of the content, where it is not said', async () => {
    const { body } = await upload(server, ann, { content: PNG, name: 'picture' });
    expect(body.contentType).toBe('image/png');
  });

  test.each([
    ['../../etc/passwd', 'passwd'],
    ['C:\\Users\\ann\\plan.txt', 'plan.txt'],
    ['..', 'file'],
    ['a\u202egnp.txt', 'agnp.txt'],
    ['a\u0007b\u001b[31m.txt', 'ab[31m.txt'],
    [`${'ü'.repeat(300)}.txt`, `${'ü'.repeat(98)}.txt`],
  ])('of the name %j %j is left', async (name, left) => {
    const { body } = await upload(server, ann, { name, content: 'x' });
    expect(body.name).toBe(left);
    // Wherever it is kept, the name has no part in it.
    expect((await kept(server)).every((key) => !key.includes('passwd') && !key.includes('..'))).toBe(true);
  });

  test('an upload that is cut leaves nothing', async () => {
    const before = await kept(server);
    const { port } = new URL(server.url);
    const socket = connectTcp(Number(port), '127.0.0.1');
    await once(socket, 'connect');
    socket.write(
      [
        `POST /meetings/${ann.meetingId}/files HTTP/1.1`,
        'Host: localhost',
        `Authorization: Bearer ${ann.token}`,
        'Content-Type: multipart/form-data; boundary=cut',
        'Content-Length: 100000',
        '',
        '--cut',
        'Content-Disposition: form-data; name="file"; filename="cut.txt"',
        '',
        'the first half',
      ].join('\r\n'),
    );
    // It has begun before it is cut.
    await expect.poll(async () => (await kept(server)).length).toBe(before.length + 1);
    socket.destroy();
    await expect.poll(() => kept(server)).toEqual(before);
  });

  test('a form that ends early, has no file, or is none at all is refused', async () => {
    const post = async (body: string, contentType: string) => {
      const reply = await fetch(`${server.url}/meetings/${ann.meetingId}/files`, {
        method: 'POST',
        headers: { authorization: `Bearer ${ann.token}`, 'content-type': contentType },
        body,
      });
      const { error } = (await reply.json()) as { error: { code: string } };
      return [reply.status, error.code];
    };
    const form = 'multipart/form-data; boundary=b';
    const head = '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n';
    expect(await post(`${head}half`, form)).toEqual([400, 'bad-request']);
    expect(await post('--b--\r\n', form)).toEqual([400, 'bad-request']);
    expect(await post('', 'multipart/form-data')).toEqual([400, 'bad-request']);
    expect(await post('{"a": 1}', 'application/json')).toEqual([400, 'bad-request']);
  });

  test('files that were not sent, and those whose time is over, are deleted', async () => {
    const { body: unsent } = await upload(server, ann, { content: 'unsent' });
    const { body: sent } = await upload(server, ann, { content: 'sent' });
    await ann.client.request('message', { content: '', fileId: sent.id });
    const { url } = (await link(bob, sent.id)).body;
    await server.files.sweep(Date.now() + 3_600_001);
    expect((await link(ann, unsent.id)).body).toMatchObject({ error: { code: 'file-expired' } });
    expect((await fetch(url)).status).toBe(200);
    await server.files.sweep(sent.expiresAt);
    expect((await link(bob, sent.id)).body).toMatchObject({ error: { code: 'file-expired' } });
    expect((await fetch(url)).status).toBe(404);
    const again = await ann.client.request('message', { content: '', fileId: sent.id });
    expect(again.payload).toMatchObject({ code: 'file-expired' });
    expect(await kept(server)).toEqual([]);
  });
});

describe('without a scanner', () => {
  test.each([
    ['that is not there', { clamdUrl: 'tcp://127.0.0.1:1' }],
    ['at all', {}],
  ])('%s files are refused, unless they are to be taken unseen', async (_, options) => {
    const strict = await startTestServer(options);
    const [ann] = (await members(strict, 'Ann')) as [MeetingMember];
    const { status, body } = await upload(strict, ann, { content: 'hello' });
    expect([status, body.error?.code]).toEqual([503, 'scanner-unavailable']);
    expect(await kept(strict)).toEqual([]);
    await strict.close();
    const lax = await startTestServer({ ...options, allowUnscanned: true });
    const [bob] = (await members(lax, 'Bob')) as [MeetingMember];
    expect((await upload(lax, bob, { content: 'hello' })).status).toBe(201);
    await lax.close();
  });

  test('only the types that were named are taken', async () => {
    const server = await startTestServer({ allowUnscanned: true, fileTypes: ['image/*'] });
    const [ann] = (await members(server, 'Ann')) as [MeetingMember];
    expect((await upload(server, ann, { content: PNG })).status).toBe(201);
    expect((await upload(server, ann, { content: 'text' })).status).toBe(415);
    await server.close();
  });

  test('after its time a file is refused, deleted or not', async () => {
    const server = await startTestServer({ allowUnscanned: true, fileTtlMs: 1 });
    const [ann] = (await members(server, 'Ann')) as [MeetingMember];
    const { body } = await upload(server, ann, { content: 'short' });
    const reply = await rest(server.url, 'GET', `/meetings/${ann.meetingId}/files/${body.id}`, {
      token: ann.token,
    });
    expect(reply).toMatchObject({ status: 410, body: { error: { code: 'file-expired' } } });
    await server.close();
  });
});
