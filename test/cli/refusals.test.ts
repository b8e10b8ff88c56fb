/** Meetings that cannot be joined, and folders that cannot be saved to: the sentence, the code, nothing left. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { endMeeting, requestJoin } from '../../src/client/api.ts';
import type { CreateMeetingReply } from '../../src/protocol/rest.ts';
import { Tokens } from '../../src/server/auth/tokens.ts';
import { create, meet, nothingLeft, run, serve, stopAll } from '../support/meet-process.ts';
import { readSavedFolder } from '../support/saved-media.ts';
import { SignalingClient } from '../support/signaling.ts';
import { smallDisk } from '../support/small-disk.ts';
import { eventFaults } from './events.ts';

let url: string;
let folder: string;
const key = randomBytes(32);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'meet-refusals-'));
  // A token of a second, for those who come back too late, and a key that the tests know.
  ({ url } = await serve(join(folder, 'data'), ['--token-key', key.toString('base64')]));
}, 60_000);
afterAll(async () => {
  await stopAll();
  await nothingLeft();
});

describe('meet join is refused', () => {
  let open: Awaited<ReturnType<typeof create>>;
  let closed: Awaited<ReturnType<typeof create>>;
  let ended: Awaited<ReturnType<typeof create>>;
  beforeAll(async () => {
    [open, closed, ended] = await Promise.all([
      create(url),
      create(url, [], { env: { MEET_PASSWORD: 'geheim' } }),
      create(url),
    ]);
    await endMeeting({ server: url, meetingId: ended.id }, ended.hostToken);
  });

  const refused = async (...args: string[]) => {
    const { code, error, events, stderr } = await run(['join', '--json', ...args]);
    // Whoever was not let in has not been anywhere.
    expect(events).toEqual([]);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    return { exit: code, ...error };
  };

  test('where there is no such meeting, or none any more', async () => {
    const [unknown, known] = await Promise.all([refused(`${url}/meetings/abc-defg-hij`), refused(ended.url)]);
    expect(unknown).toMatchObject({ exit: 1, code: 'meeting-not-found' });
    expect(known).toMatchObject({ exit: 1, code: 'meeting-ended' });
  });

  test('without the password or with another', async () => {
    const [none, empty, wrong] = await Promise.all([
      refused(closed.url),
      refused(closed.url, '--password', ''),
      refused(closed.url, '--password', 'Geheim'),
    ]);
    expect(none).toMatchObject({
      exit: 3,
      code: 'password-required',
      hint: expect.stringContaining('--password'),
    });
    expect(empty).toMatchObject({ exit: 3, code: 'password-required' });
    expect(wrong).toMatchObject({ exit: 3, code: 'wrong-password' });
    // No terminal, no question.
    expect((await run(['join', closed.url])).stderr).toMatch(
      /^meet: The meeting has a password\.\n {6}Give it with --password/,
    );
  });

  test('and whoever guesses has to wait', async () => {
    const tries = await Promise.all(
      Array.from({ length: 14 }, (_, n) => refused(closed.url, '--password', String(n))),
    );
    expect(tries.filter(({ exit, code }) => exit === 3 && code === 'rate-limited').length).toBeGreaterThan(0);
    expect(tries.find(({ code }) => code === 'rate-limited')?.hint).toMatch(/^Try again in \d+ s\.$/);
    // The host's token needs no password.
    const host = await run([
      'join',
      closed.url,
      '--json',
      '--host-token',
      closed.hostToken,
      '--duration',
      '100ms',
    ]);
    expect(host).toMatchObject({ code: 0 });
  });

  test('with a host token that is forged, malformed, expired or of another meeting', async () => {
    const claims = { userId: 'somebody', meetingId: open.id };
    const sign = async (secret: Uint8Array, hostTtlMs: number) =>
      (await new Tokens(secret, { ttlMs: 1_000, hostTtlMs }).issueHost(claims)).token;
    const tokens = await Promise.all([
      sign(randomBytes(32), 60_000),
      'a.b.c',
      sign(key, -60_000),
      closed.hostToken,
    ]);
    const replies = await Promise.all(tokens.map((token) => refused(open.url, '--host-token', token)));
    expect(replies.map(({ exit, code }) => `${exit} ${code}`)).toEqual([
      '3 unauthorized',
      '3 unauthorized',
      '3 token-expired',
      '3 wrong-meeting',
    ]);
  });
});

describe('a waiting room', () => {
  const guarded = async () => {
    const reply = await fetch(`${url}/meetings`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ settings: { waitingRoom: true } }),
    });
    const { meeting, hostToken } = (await reply.json()) as CreateMeetingReply;
    const { signalingUrl, token } = await requestJoin(
      { server: url, meetingId: meeting.id },
      { displayName: 'Host' },
      { token: hostToken },
    );
    const host = await SignalingClient.open(signalingUrl, token);
    const guest = meet(['join', meeting.url, '--json', '--test-pattern', '--duration', '20s']);
    const { id } = await guest.waitFor('participant', ({ state }) => state === 'waiting', 60_000);
    return { host, guest, id: String(id) };
  };

  test('is waited in until a host says yes', async () => {
    const { host, guest, id } = await guarded();
    expect(guest.all('joined')).toEqual([]);
    await host.request('action', { action: 'admit', participantId: id });
    expect(await guest.waitFor('joined')).toMatchObject({ participantId: id });
    expect(await guest.stop()).toBe(130);
    host.socket.close();
  }, 90_000);

  test('is left with 3 when a host says no', async () => {
    const { host, guest, id } = await guarded();
    await host.request('action', { action: 'deny', participantId: id });
    expect(await guest.exited).toMatchObject({ code: 3 });
    expect(guest.events.at(-1)).toMatchObject({ event: 'left', reason: 'removed' });
    expect(guest.error?.code).toBe('removed');
    host.socket.close();
  }, 90_000);
});

describe('meet create', () => {
  test('prints one object with --json, the URL alone with --quiet, and for people how to join', async () => {
    const [json, quiet, talking] = await Promise.all(
      [['--json'], ['--quiet'], []].map((more) =>
        run(['create', '--server', url, '--at', '2030-05-01T10:00:00Z', ...more]),
      ),
    );
    expect(json?.events).toEqual([
      {
        id: expect.any(String),
        url: expect.stringMatching(`^${url}/meetings/`),
        hostToken: expect.any(String),
      },
    ]);
    expect(quiet?.stdout).toMatch(/^http:\S+\n$/);
    const [first] = talking?.stdout.split('\n') ?? [];
    expect(talking?.stdout).toContain(`meet join ${first}\n`);
    const info = await fetch(String(json?.events[0]?.url));
    expect(await info.json()).toMatchObject({ scheduledTime: Date.UTC(2030, 4, 1, 10), status: 'scheduled' });
  });

  test('says what the server will not have', async () => {
    const { code, error } = await run(['create', '--json', '--server', url, '--title', 'x'.repeat(201)]);
    expect({ code, error: error?.code }).toEqual({ code: 2, error: 'bad-request' });
  });
});

describe('--save', () => {
  test('into a file, or below one, is wrong usage, and nothing is joined', async () => {
    const { url: meeting } = await create(url);
    const file = join(folder, 'file');
    await writeFile(file, 'kept');
    for (const path of [file, join(file, 'below')]) {
      const { code, error, events } = await run(['join', meeting, '--json', '--save', path]);
      expect({ code, error: error?.code, events }).toEqual({ code: 2, error: 'bad-config', events: [] });
      expect(error?.message).toContain(path);
    }
  });

  test('into a folder of somebody else', async ({ skip }) => {
    const disk = await smallDisk(1024 * 1024);
    if (typeof disk === 'string') return skip(disk);
    try {
      await disk.seal();
      const { url: meeting } = await create(url);
      const { code, error } = await run(['join', meeting, '--json', '--save', join(disk.path, 'received')]);
      expect({ code, error: error?.code }).toEqual({ code: 1, error: 'no-permission' });
    } finally {
      await disk.remove();
    }
  });

  test('onto a disk that fills up ends the command and keeps what fitted', async ({ skip }) => {
    const disk = await smallDisk(512 * 1024);
    if (typeof disk === 'string') return skip(disk);
    try {
      const meeting = await create(url);
      const sender = meet(['join', meeting.url, '--json', '--test-pattern', '--name', 'Sender']);
      await sender.waitFor('joined', undefined, 60_000);
      const receiver = await run(['join', meeting.url, '--json', '--save', disk.path]);
      expect(receiver).toMatchObject({
        code: 1,
        error: { code: 'disk-full', message: expect.stringContaining(disk.path) },
      });
      expect(eventFaults(receiver.events)).toEqual([]);
      expect(receiver.events.at(-1)).toMatchObject({ event: 'left', reason: 'failed' });
      await sender.waitFor('participant', ({ name, state }) => name === 'Guest' && state === 'left');
      expect(await readdir(disk.path)).not.toEqual([]);
      const saved = await readSavedFolder(disk.path);
      expect(saved.get('Sender')?.some(({ seconds }) => seconds > 0)).toBe(true);
      await sender.stop();
    } finally {
      await disk.remove();
    }
  }, 90_000);
});
