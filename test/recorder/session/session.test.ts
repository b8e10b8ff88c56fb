/** A recorder in a meeting with two people whose pictures count and whose sound beeps. */
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { createMeeting } from '../../../src/client/api.ts';
import { joinMeeting } from '../../../src/client/join.ts';
import type { MeetingClient } from '../../../src/client/meeting.ts';
import { openFile } from '../../../src/media/file/open.ts';
import { readRecording } from '../../../src/recorder/folder/index.ts';
import { RecorderSession } from '../../../src/recorder/session/session.ts';
import { takeFolder } from '../../../src/recorder/session/take-folder.ts';
import { openTracks, readEvents } from '../../../src/recorder/tracks/index.ts';
import type { RecordingEvent, RecordingOptions } from '../../../src/recorder/types.ts';
import { barcodeClip } from '../../support/barcode-clip.ts';
import { compareAv, reportCounters } from '../../support/barcode-compare.ts';
import { readBarcodeFrames, readBeeps } from '../../support/barcode-media.ts';
import { mediaCacheDir } from '../../support/media-cache.ts';
import { afterStart, onlyLayer } from '../../support/received.ts';
import { readSavedMedia } from '../../support/saved-media.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { smallDisk } from '../../support/small-disk.ts';

const SECONDS = 6;
const OPTIONS: RecordingOptions = {
  layout: 'gallery',
  width: 1280,
  height: 720,
  fps: 30,
  bitrate: 2_500_000,
  format: 'mp4',
  clock: false,
  tracksOnly: true,
};

let server: TestServer;
let clip: string;
let directory: string;
const open: { leave?: () => Promise<void>; close?: () => Promise<void> }[] = [];

beforeAll(async () => {
  [server, clip] = await Promise.all([startTestServer(), barcodeClip({ seconds: SECONDS })]);
}, 120_000);
afterAll(() => server.close());
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'meet-session-'));
});
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await (one.leave?.() ?? one.close?.());
  await rm(directory, { recursive: true, force: true });
});

async function meeting() {
  const { meeting, hostToken } = await createMeeting(server.url, { title: 'Weekly' });
  return { url: meeting.url, id: meeting.id, hostToken };
}

async function participant(url: string, displayName: string, loop = false): Promise<MeetingClient> {
  const source = await openFile({ video: clip, loop, cacheDir: mediaCacheDir() });
  const client = await joinMeeting({
    meeting: url,
    displayName,
    source: onlyLayer(source, 2),
    receive: 'none',
  });
  open.push(client);
  return client;
}

async function recorder(
  { url, id, hostToken }: { url: string; id: string; hostToken: string },
  { into = directory, ...options }: { into?: string; durationMs?: number; untilEmptyMs?: number } = {},
) {
  const taken = await takeFolder({
    directory: into,
    server: server.url,
    meetingId: id,
    title: null,
    options: OPTIONS,
  });
  open.push(taken.folder);
  const session = await RecorderSession.join({
    ...taken,
    ...options,
    join: { meeting: url, displayName: 'Recorder', hostToken, recorder: true },
  });
  open.push({
    close: async () => {
      session.stop();
      await session.close();
    },
  });
  return session;
}

/** The first event that fits. */
function eventOf(session: RecorderSession, fits: (event: RecordingEvent) => boolean): Promise<void> {
  return new Promise((resolve) => session.on('event', (event) => fits(event) && resolve()));
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

const events = (path: string) => all(readEvents(join(path, 'events.jsonl')));

test('has every frame of everybody, on one time, and what happened', async () => {
  const where = await meeting();
  const session = await recorder(where, { untilEmptyMs: 200 });
  expect(session.startedAt).toBeUndefined();
  const [ada, bob] = await Promise.all([participant(where.url, 'Ada'), participant(where.url, 'Bob')]);
  await Promise.all([once(ada, 'source-ended'), once(bob, 'source-ended')]);
  await ada.leave();
  await bob.leave();
  expect(await session.ended).toEqual({ reason: 'empty' });
  await session.close();

  expect(await readRecording(session.folder.path)).toMatchObject({ state: 'stopped', title: 'Weekly' });
  const tracks = await openTracks(session.folder.path);
  expect(tracks.map((track) => `${track.participantName} ${track.source}`).sort()).toEqual(
    ['Ada camera', 'Ada microphone', 'Bob camera', 'Bob microphone'].sort(),
  );
  for (const name of ['Ada', 'Bob']) {
    const [video, audio] = ['camera', 'microphone'].map((source) =>
      tracks.find((track) => track.participantName === name && track.source === source),
    );
    const frames = await readBarcodeFrames(video!.path);
    expect(frames.at(-1)?.counter).toBe(SECONDS * 30 - 1);
    expect(reportCounters(afterStart(frames))).toMatchObject({
      missing: 0,
      repeated: 0,
      backward: 0,
      unreadable: 0,
    });
    // What the reader gives is what is in the file, in order, on the recorder's clock.
    const read = await all(video!.frames());
    expect(read).toHaveLength(frames.length);
    expect(read.every(({ capturedAt }, i) => i === 0 || capturedAt > read[i - 1]!.capturedAt)).toBe(true);
    expect(read[0]!.capturedAt).toBeGreaterThan(session.startedAt! - 1000);
    const shown = frames.map((frame, i) => ({ ...frame, pts: read[i]!.capturedAt / 1000 }));
    // Where the file begins in the middle of a beep, the beep began before it.
    const beeps = (await readBeeps(audio!.path)).filter((beep) => beep > 0.1);
    const offsets = compareAv(shown, beeps, { beepsLaterBySeconds: audio!.startedAt / 1000 });
    expect(offsets.length).toBeGreaterThanOrEqual(SECONDS - 3);
    for (const { offsetMs } of offsets) expect(Math.abs(offsetMs)).toBeLessThanOrEqual(40);
  }
  const log = await events(session.folder.path);
  const types = log.map(({ type }) => type);
  expect(types.slice(0, 2)).toEqual(['start', 'layout']);
  expect(types.at(-1)).toBe('stop');
  expect(log.filter(({ type }) => type === 'track-end')).toHaveLength(4);
  const people = log.filter((event) => event.type === 'participant');
  expect(people.some(({ name, state }) => name === 'Ada' && state === 'left')).toBe(true);
  expect(people.some(({ name }) => name === 'Recorder')).toBe(false);
  expect(log.filter(({ type }) => type === 'anchor').length).toBeGreaterThan(4 * (SECONDS - 3));
}, 60_000);

test('keeps nothing while it is paused, and goes on in new files', async () => {
  const where = await meeting();
  const session = await recorder(where);
  await participant(where.url, 'Ada', true);
  const anchors = (trackId?: string) =>
    eventOf(
      session,
      (event) => event.type === 'anchor' && (trackId === undefined || event.trackId === trackId),
    );
  await anchors();
  await session.setPaused(true);
  expect(session.folder.recording.state).toBe('paused');
  const stored = async () => {
    let frames = 0;
    for (const track of await openTracks(session.folder.path)) frames += (await all(track.frames())).length;
    return frames;
  };
  const from = session.now();
  // Frames go on to come: of each track at least one after the pause has begun.
  const came = session.client.tracks.map((track) => once(track, 'frame'));
  await Promise.all(came);
  const before = await stored();
  await Promise.all(session.client.tracks.map((track) => once(track, 'frame')));
  expect(await stored()).toBe(before);
  const resumed = anchors();
  await session.setPaused(false);
  const to = session.now();
  await resumed;
  session.setLayout('speaker', 'Ada');
  session.stop();
  await session.close();
  const tracks = await openTracks(session.folder.path);
  expect(tracks).toHaveLength(4);
  for (const track of tracks) {
    for await (const { capturedAt } of track.frames())
      expect(capturedAt < from + 100 || capturedAt > to - 500).toBe(true);
  }
  const { state, pauses, options } = await readRecording(session.folder.path);
  expect(state).toBe('stopped');
  expect(options).toMatchObject({ layout: 'speaker', pin: 'Ada' });
  expect(pauses).toEqual([{ from: expect.any(Number), to: expect.any(Number), reason: 'paused' }]);
}, 60_000);

test('a disk that fills up is told once; what is there plays, and it goes on when there is room', async ({
  skip,
}) => {
  const disk = await smallDisk(3 * 1024 * 1024);
  if (typeof disk === 'string') return skip(disk);
  try {
    const where = await meeting();
    const session = await recorder(where, { into: disk.path });
    let full = 0;
    session.on('disk-full', () => {
      full++;
    });
    const filled = once(session, 'disk-full');
    await participant(where.url, 'Ada', true);
    const [error] = await filled;
    expect(error).toMatchObject({ code: 'disk-full' });
    expect(session.diskFull).toBe(true);
    await Promise.all(session.client.tracks.map((track) => once(track, 'frame')));
    const ok = once(session, 'disk-ok');
    await disk.grow(64 * 1024 * 1024);
    await ok;
    await eventOf(session, (event) => event.type === 'anchor');
    session.stop();
    await session.close();
    expect(full).toBe(1);
    const tracks = await openTracks(session.folder.path);
    expect(tracks.length).toBeGreaterThanOrEqual(4);
    for (const name of await readdir(join(session.folder.path, 'tracks')))
      await readSavedMedia(join(session.folder.path, 'tracks', name));
    const log = await events(session.folder.path);
    expect(log.flatMap((event) => (event.type === 'disk' ? [event.full] : []))).toEqual([true, false]);
    expect(await readRecording(session.folder.path)).toMatchObject({ state: 'stopped' });
    await session.folder.close();
  } finally {
    await disk.remove();
  }
}, 60_000);
