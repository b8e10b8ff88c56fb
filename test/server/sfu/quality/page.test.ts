/** What a receiver asks for is what it gets: pages, sizes, and what its senders are told of it. */
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createMeeting } from '../../../../src/client/api.ts';
import { joinMeeting } from '../../../../src/client/join.ts';
import type { MeetingClient } from '../../../../src/client/meeting.ts';
import type { RemoteTrack } from '../../../../src/client/peer/remote-track.ts';
import { openFile } from '../../../../src/media/file/open.ts';
import { barcodeClip } from '../../../support/barcode-clip.ts';
import { mediaCacheDir } from '../../../support/media-cache.ts';
import { startTestServer, type TestServer } from '../../../support/server.ts';

const SENDERS = 4;
/** A new tile shows its first picture within this; half of it where the machine is not shared. */
const FIRST_PICTURE_MS = 1_000;

let server: TestServer;
let meetingUrl: string;
const senders: MeetingClient[] = [];
let receiver: MeetingClient | undefined;

beforeAll(async () => {
  const [started, clip] = await Promise.all([startTestServer(), barcodeClip({ seconds: 4 })]);
  server = started;
  meetingUrl = (await createMeeting(server.url, {})).meeting.url;
  for (let i = 0; i < SENDERS; i++) {
    const source = await openFile({ video: clip, cacheDir: mediaCacheDir(), loop: true });
    senders.push(await joinMeeting({ meeting: meetingUrl, displayName: `Sender ${i}`, source }));
  }
  await Promise.all(senders.map((sender) => sender.whenConnected()));
}, 120_000);
afterEach(async () => {
  await receiver?.leave();
  receiver = undefined;
});
afterAll(async () => {
  await Promise.all(senders.map((sender) => sender.leave()));
  await server?.close();
});

const videosOf = (client: MeetingClient) => client.tracks.filter(({ kind }) => kind === 'video');
const names = (client: MeetingClient) =>
  videosOf(client)
    .map(({ participantId }) => client.participants.get(participantId)?.name)
    .sort();

/** Resolves with the first picture of the height. */
async function picture(track: RemoteTrack, height: number): Promise<void> {
  for (;;) {
    const [frame] = await once(track, 'frame');
    if (frame.keyframe && frame.height === height) return;
  }
}

async function until(client: MeetingClient, event: 'track' | 'track-ended', holds: () => boolean) {
  while (!holds()) await once(client, event);
}

test('only what a page shows is sent, and the pictures of another page come at once', async () => {
  const page = (number: number) => ({ layout: 'gallery', page: number, pageSize: 2 }) as const;
  const client = await joinMeeting({ meeting: meetingUrl, displayName: 'Viewer', view: page(0) });
  receiver = client;
  await until(client, 'track', () => videosOf(client).length === 2);
  const first = names(client);
  await Promise.all(videosOf(client).map((track) => once(track, 'frame')));

  const fresh: RemoteTrack[] = [];
  client.on('track', (track) => fresh.push(track));
  const asked = performance.now();
  client.setView(page(1));
  await until(client, 'track', () => fresh.length === 2);
  await Promise.all(fresh.map((track) => once(track, 'frame')));
  const elapsed = performance.now() - asked;
  expect(elapsed).toBeLessThan(FIRST_PICTURE_MS);
  expect(videosOf(client)).toHaveLength(2);
  expect([...first, ...names(client)].sort()).toEqual(senders.map((_, index) => `Sender ${index}`));
}, 30_000);

test('a tile gets the layer that fits it, and another size needs no offer', async () => {
  const client = await joinMeeting({
    meeting: meetingUrl,
    displayName: 'Viewer',
    view: { layout: 'gallery', pageSize: 1, maxHeight: 180 },
  });
  receiver = client;
  await until(client, 'track', () => videosOf(client).length === 1);
  const [track] = videosOf(client);
  await picture(track!, 180);
  client.setView({ layout: 'gallery', pageSize: 1, maxHeight: 720 });
  await picture(track!, 720);
  client.setView({ layout: 'gallery', pageSize: 1, maxHeight: 360 });
  await picture(track!, 360);
  expect(videosOf(client)).toEqual([track]);
  while (client.videos.get(track!.id)?.layer !== 1) await once(client, 'videos');
  expect(client.videos.get(track!.id)).toMatchObject({ layer: 1, reason: 'asked' });
}, 30_000);
