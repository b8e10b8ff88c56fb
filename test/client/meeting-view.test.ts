/** What a participant shows decides what is sent to it, and what the others send at all. */
import { on, once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createMeeting } from '../../src/client/api.ts';
import { joinMeeting } from '../../src/client/join.ts';
import type { MeetingClient } from '../../src/client/meeting.ts';
import type { RemoteTrack } from '../../src/client/peer/remote-track.ts';
import { TrackDecoder } from '../../src/client/peer/track-decoder.ts';
import type { ReceivedFrame } from '../../src/client/types.ts';
import { openTestPattern } from '../../src/media/file/test-pattern.ts';
import { mediaCacheDir } from '../support/media-cache.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  // Encoded before anybody joins: the machine has few cores.
  const source = await openTestPattern({ cacheDir: mediaCacheDir() });
  await source.close();
}, 120_000);
afterAll(() => server.close());

async function track(client: MeetingClient, kind: 'audio' | 'video'): Promise<RemoteTrack> {
  const there = client.tracks.find((candidate) => candidate.kind === kind);
  if (there) return there;
  for await (const [candidate] of on(client, 'track')) if (candidate.kind === kind) return candidate;
  throw new Error('no track');
}

/** The first keyframe of this height. */
async function keyframe(from: RemoteTrack, height: number): Promise<ReceivedFrame> {
  for await (const [frame] of on(from, 'frame')) if (frame.keyframe && frame.height === height) return frame;
  throw new Error('no keyframe');
}

async function until(client: MeetingClient, holds: () => boolean): Promise<void> {
  if (holds()) return;
  for await (const _ of on(client, 'videos')) if (holds()) return;
}

test('a small tile gets the lowest layer and the others are not sent; a large one wakes the highest', async () => {
  const { meeting } = await createMeeting(server.url, {});
  const sender = await joinMeeting({
    meeting: meeting.url,
    displayName: 'Sender',
    source: await openTestPattern({ cacheDir: mediaCacheDir() }),
    receive: 'none',
  });
  const receiver = await joinMeeting({
    meeting: meeting.url,
    displayName: 'Receiver',
    view: { layout: 'gallery', maxHeight: 180 },
  });
  const video = await track(receiver, 'video');
  await keyframe(video, 180);
  const active = () =>
    sender
      .stats()
      .sent.filter(({ kind }) => kind === 'video')
      .map((sent) => sent.active);
  await until(receiver, () => receiver.videos.get(video.id)?.layer === 0);
  expect(receiver.videos.get(video.id)).toMatchObject({ layer: 0, reason: 'asked' });
  // The server lets a layer rest that nobody has watched for ten seconds.
  for await (const _ of on(video, 'frame')) if (active().join() === 'true,false,false') break;

  const sound = await track(receiver, 'audio');
  const decoder = await TrackDecoder.open(sound, 1);
  const [audio] = await once(decoder, 'pcm');
  expect(audio).toMatchObject({ origin: 'packet' });
  expect(audio.pcm).toHaveLength(960);

  receiver.setView({ layout: 'gallery' });
  await keyframe(video, 720);
  await until(receiver, () => receiver.videos.get(video.id)?.layer === 2);
  const stats = receiver.stats().received.find(({ kind }) => kind === 'video');
  expect(stats).toMatchObject({ layer: 2, temporalLayer: 2, reason: 'asked' });
  expect(receiver.stats().received.find(({ kind }) => kind === 'audio')).toMatchObject({ concealedMs: 0 });

  expect(active()).toEqual([true, true, true]);

  await sender.leave();
  await receiver.leave();
}, 60_000);
