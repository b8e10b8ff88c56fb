import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createMeeting } from '../../src/client/api.ts';
import { joinMeeting } from '../../src/client/join.ts';
import type { MeetingClient } from '../../src/client/meeting.ts';
import { CLIPS } from '../../src/media/clips.ts';
import { openFile } from '../../src/media/file/open.ts';
import type { ParticipantInfo } from '../../src/protocol/model.ts';
import { mediaCacheDir } from '../support/media-cache.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const clip = () => openFile({ video: CLIPS[0], loop: true, cacheDir: mediaCacheDir() });

async function waitingRoom() {
  const { meeting, hostToken } = await createMeeting(server.url, { settings: { waitingRoom: true } });
  const host = await joinMeeting({ meeting: meeting.url, displayName: 'Host', hostToken });
  const guest = await joinMeeting({ meeting: meeting.url, displayName: 'Guest', source: await clip() });
  return { host, guest };
}

/** Somebody who waits, as the host sees it. */
async function seenWaiting(host: MeetingClient, id: string): Promise<void> {
  while (host.participants.get(id)?.state !== 'waiting') {
    await (once(host, 'participant') as Promise<[ParticipantInfo]>);
  }
}

test('a guest sends and receives nothing before a host lets it in, and everything after', async () => {
  const { host, guest } = await waitingRoom();
  expect(guest.waiting).toBe(true);
  expect([...guest.participants.keys()]).toEqual([guest.self.id]);
  await seenWaiting(host, guest.self.id);
  expect(host.participants.get(guest.self.id)?.tracks).toEqual([]);
  const track = once(host, 'track');
  await host.host.admit(guest.self.id);
  await guest.whenConnected();
  const [received] = await track;
  await once(received, 'frame');
  expect(guest.waiting).toBe(false);
  expect(guest.participants.has(host.self.id)).toBe(true);
  await Promise.all([guest.leave(), host.leave()]);
});

test('a guest who is denied is told so', async () => {
  const { host, guest } = await waitingRoom();
  await seenWaiting(host, guest.self.id);
  const left = once(guest, 'left');
  await host.host.deny(guest.self.id);
  expect(await left).toMatchObject([
    { reason: 'removed', message: expect.stringContaining('did not let you in') },
  ]);
  await expect(guest.whenConnected()).rejects.toThrow();
  await host.leave();
});

test('only hosts let somebody in', async () => {
  const { host, guest } = await waitingRoom();
  await expect(guest.host.admit(guest.self.id)).rejects.toMatchObject({ code: 'forbidden' });
  await Promise.all([guest.leave(), host.leave()]);
});
