import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { createMeeting, getMeeting, resolveMeeting, serverUrl } from '../../src/client/api.ts';

describe('resolveMeeting', () => {
  test.each([
    ['http://127.0.0.1:8080/meetings/abc-defg-hij', undefined, 'http://127.0.0.1:8080'],
    ['https://example.org/base/meetings/abc-defg-hij/', undefined, 'https://example.org/base'],
    ['abc-defg-hij', 'http://127.0.0.1:8080/', 'http://127.0.0.1:8080'],
  ])('%s with server %s', (meeting, server, base) => {
    expect(resolveMeeting(meeting, server)).toEqual({ server: base, meetingId: 'abc-defg-hij' });
  });

  test.each([
    ['http://127.0.0.1:8080/', undefined],
    ['http://127.0.0.1:8080/meetings/UPPER', undefined],
    ['abc-defg-hij', undefined],
    ['not an id!', 'http://127.0.0.1'],
    ['abc-defg-hij', 'ftp://127.0.0.1'],
  ])('%s with server %s is refused', (meeting, server) => {
    expect(() => resolveMeeting(meeting, server)).toThrow(expect.objectContaining({ code: 'bad-config' }));
  });

  test('a server URL loses its slash', () => {
    expect(serverUrl('https://example.org/')).toBe('https://example.org');
  });
});

describe('answers of a server', () => {
  async function answering(status: number, body: string, headers: Record<string, string> = {}) {
    const server = createServer((_, response) => response.writeHead(status, headers).end(body));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return { url: `http://127.0.0.1:${port}`, close: () => server.close() };
  }

  test('a coded error keeps its code, hint and Retry-After', async () => {
    const error = { error: { code: 'rate-limited', message: 'Too many.', hint: 'Wait.' } };
    const { url, close } = await answering(429, JSON.stringify(error), { 'retry-after': '7' });
    await expect(createMeeting(url, {})).rejects.toMatchObject({
      code: 'rate-limited',
      message: 'Too many.',
      hint: 'Wait.',
      retryAfter: 7,
    });
    close();
  });

  test.each([
    [200, '<html>'],
    [200, '{}'],
    [502, 'Bad gateway'],
    [404, '{"error":{"code":"never-heard-of","message":"x"}}'],
  ])('status %i with %s is not a meet server', async (status, body) => {
    const { url, close } = await answering(status, body);
    await expect(getMeeting({ server: url, meetingId: 'abc' })).rejects.toMatchObject({
      code: 'server-unreachable',
    });
    close();
  });

  test('nobody listens', async () => {
    const { url, close } = await answering(200, '');
    close();
    await expect(getMeeting({ server: url, meetingId: 'abc' })).rejects.toMatchObject({
      code: 'server-unreachable',
      message: expect.stringContaining('connection refused'),
    });
  });
});
