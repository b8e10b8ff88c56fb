/** `meet record` as a process: killed, started again, started twice. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createMeeting } from '../../src/client/api.ts';
import { joinMeeting } from '../../src/client/join.ts';
import type { MeetingClient } from '../../src/client/meeting.ts';
import { openTestPattern } from '../../src/media/file/test-pattern.ts';
import { readRecording } from '../../src/recorder/folder/index.ts';
import { openTracks, readEvents, type StoredFrame } from '../../src/recorder/tracks/index.ts';
import { mediaCacheDir } from '../support/media-cache.ts';
import { meet, nothingLeft, run, stopAll } from '../support/meet-process.ts';
import { nextTrack } from '../support/received.ts';
import { readSavedMedia } from '../support/saved-media.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

const KINDS = ['audio', 'video'] as const;

let server: TestServer;
let directory: string;
let meeting: string;
let token: string;
let sender: MeetingClient;
/** Sees what the recorder sees. */
let witness: MeetingClient;

beforeAll(async () => {
  server = await startTestServer();
  directory = await mkdtemp(join(tmpdir(), 'meet-record-'));
  const created = await createMeeting(server.url, {});
  meeting = created.meeting.url;
  token = created.hostToken;
  witness = await joinMeeting({ meeting, displayName: 'Witness' });
  const tracks = Promise.all(KINDS.map((kind) => nextTrack(witness, kind)));
  const source = await openTestPattern({ cacheDir: mediaCacheDir() });
  sender = await joinMeeting({ meeting, displayName: 'Ada', source, receive: 'none' });
  await tracks;
}, 120_000);
afterAll(async () => {
  await stopAll();
  await Promise.all([sender.leave(), witness.leave()]);
  await server.close();
  await rm(directory, { recursive: true, force: true });
  await nothingLeft();
});

const record = (...args: readonly string[]) =>
  ['record', meeting, '--json', '--tracks-only', '--host-token', token, '--dir', directory, ...args] as const;

/** Resolves when so many more frames of each of the sender's tracks have come. */
async function pass(frames: number): Promise<void> {
  await Promise.all(
    witness.tracks.map(
      (track) =>
        new Promise<void>((resolve) => {
          let seen = 0;
          track.on('frame', function count() {
            if (++seen < frames) return;
            track.off('frame', count);
            resolve();
          });
        }),
    ),
  );
}

async function framesOf(folder: string): Promise<StoredFrame[][]> {
  const all: StoredFrame[][] = [];
  for (const track of await openTracks(folder)) {
    const frames: StoredFrame[] = [];
    for await (const frame of track.frames()) frames.push(frame);
    all.push(frames);
  }
  return all;
}

test('what is killed loses less than a second, and the next run goes on', async () => {
  const first = meet(record());
  await first.waitFor('recording-started');
  await pass(60);
  const second = await run(record());
  expect(second.code).toBe(1);
  expect(second.error).toMatchObject({ code: 'recording-busy' });

  const exited = first.exited;
  first.child.kill('SIGKILL');
  const killedAt = Date.now();
  await exited;
  const [name, ...others] = (await readdir(directory)).filter((entry) => !entry.startsWith('.'));
  expect(others).toEqual([]);
  const folder = join(directory, name!);
  expect((await readRecording(folder)).state).toBe('recording');
  const before = await framesOf(folder);
  expect(before).toHaveLength(2);
  for (const frames of before) {
    expect(frames.length).toBeGreaterThan(20);
    expect(frames.at(-1)!.capturedAt).toBeGreaterThan(killedAt - 1000);
  }

  const third = meet(record());
  await third.waitFor('recording-started');
  await pass(30);
  expect(await third.stop('SIGTERM')).toBe(130);
  expect(third.all('stopped')).toMatchObject([{ reason: 'interrupted' }]);
  expect(third.all('finished')).toHaveLength(1);
  expect((await readdir(directory)).filter((entry) => !entry.startsWith('.'))).toEqual([name]);
  const { state, pauses } = await readRecording(folder);
  expect(state).toBe('stopped');
  expect(pauses).toMatchObject([{ reason: 'recorder-away', to: expect.any(Number) }]);
  const after = await framesOf(folder);
  expect(after).toHaveLength(4);
  expect(after.slice(0, 2).map((frames) => frames.length)).toEqual(before.map((frames) => frames.length));
  const types: string[] = [];
  for await (const event of readEvents(join(folder, 'events.jsonl'))) types.push(event.type);
  expect(types).toContain('gap');
  expect(types.filter((type) => type === 'start')).toHaveLength(1);
  expect(types.at(-1)).toBe('stop');
}, 60_000);

test('the live file of one that is killed plays, and the next run goes on in it', async () => {
  const out = join(directory, 'out.mp4');
  const args = ['record', meeting, '--json', '--host-token', token, '--dir', join(directory, 'live')];
  const small = [...args, '--size', '320x180', '--fps', '20', '--bitrate', '300k', '--out', out];
  const first = meet(small);
  const { startedAt } = await first.waitFor('recording-started');
  await pass(180);
  const exited = first.exited;
  first.child.kill('SIGKILL');
  const killedAt = Date.now();
  await exited;
  const [name] = (await readdir(join(directory, 'live'))).filter((entry) => !entry.startsWith('.'));
  const file = join(directory, 'live', name!, 'live.mp4');
  const cut = await readSavedMedia(file);
  expect(cut.seconds).toBeGreaterThan((killedAt - Number(startedAt)) / 1000 - 2);

  const second = meet(small);
  await second.waitFor('recording-started');
  await pass(60);
  expect(await second.stop()).toBe(130);
  const [finished] = second.all('finished');
  const whole = await readSavedMedia(file);
  expect(whole.seconds).toBeGreaterThan(cut.seconds + 1);
  expect(whole.seconds).toBeCloseTo(Number(finished!.durationMs) / 1000, 0);
  expect(whole.frames / 20).toBeCloseTo(whole.seconds, 0);
  expect((await readFile(out)).equals(await readFile(file))).toBe(true);
}, 90_000);

test('it is told what to do over stdin where it has been given an id', async () => {
  const recorder = meet(record('--id', 'chosen'), {
    input: ['{"layout":"speaker","pin":"Ada"}', 'nonsense', '{"paused":true}', ''].join('\n'),
  });
  await recorder.waitFor('recording-state', ({ state }) => state === 'paused');
  expect(recorder.all('recording-state')).toMatchObject([
    { state: 'recording', layout: 'speaker', pin: 'Ada' },
    { state: 'paused' },
  ]);
  expect(await recorder.stop()).toBe(130);
  expect(recorder.stderr).toContain('nonsense');
  expect(await readRecording(join(directory, 'chosen'))).toMatchObject({ state: 'stopped' });
  // Started once more, it only says again that all is there.
  const again = await run(record('--id', 'chosen'));
  expect(again.code).toBe(0);
  expect(again.all('finished')).toEqual([{ ...recorder.all('finished')[0], at: expect.any(Number) }]);
}, 60_000);

test('nobody who comes, and a recorder that may not come in, are told and leave nothing', async () => {
  const empty = await createMeeting(server.url, {});
  const nothing = join(directory, 'nothing');
  const args = ['--json', '--tracks-only', '--dir', nothing];
  const token = ['--wait-for', '1s', '--host-token', empty.hostToken];
  const alone = await run(['record', empty.meeting.url, ...args, ...token]);
  expect(alone.code).toBe(1);
  expect(alone.error).toMatchObject({ code: 'nobody-came' });
  const refused = await run(['record', meeting, ...args]);
  expect(refused.code).toBe(3);
  expect(refused.error).toMatchObject({ code: 'forbidden', hint: expect.any(String) });
  expect((await readdir(nothing)).filter((entry) => !entry.startsWith('.'))).toEqual([]);
}, 30_000);
