/** `meet recording` and `meet recordings`, against a server and in a folder. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RecordingFolder } from '../../src/recorder/folder/index.ts';
import { recorderCommand, until } from '../server/recordings/recorders.ts';
import { run } from '../support/meet-process.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { connect, createMeeting } from '../support/signaling.ts';

let server: TestServer;
let folder: string;
let meeting: string;
let url: string;
let token: string;
let id: string;

beforeAll(async () => {
  server = await startTestServer({ recordings: { command: recorderCommand } });
  folder = await mkdtemp(join(tmpdir(), 'meet-recordings-'));
  const created = await createMeeting(server.url, { title: 'Weekly' });
  ({ id: meeting, url } = created.meeting);
  token = created.hostToken;
  await connect(server.url, meeting, 'Ada');
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

const meet = (...words: string[]) => run(words, { env: { MEET_HOST_TOKEN: token, MEET_SERVER: server.url } });
const recording = (word: string, ...words: string[]) => meet('recording', word, url, ...words);
const recordings = (...words: string[]) => meet('recordings', ...words);

describe('meet recording', () => {
  test('starts, changes, and stops, and says how it stands', async () => {
    expect(await recording('state')).toMatchObject({
      code: 0,
      stdout: 'The meeting is not being recorded.\n',
    });
    const started = await recording('start', '--layout', 'speaker', '--size', '640x360', '--json');
    expect(started.code).toBe(0);
    const [reply] = started.events as { recording?: { id: string } }[];
    id = reply?.recording?.id ?? '';
    expect(reply?.recording).toMatchObject({ state: 'starting', layout: 'speaker' });
    expect(await recording('start', '--json')).toMatchObject({
      code: 1,
      stdout: '',
      error: { code: 'recording-running' },
    });
    await expect
      .poll(async () => (await recording('state', '--quiet')).stdout, { timeout: 10_000 })
      .toBe('recording\n');
    expect((await recording('pause')).stdout).toMatch(/^paused: /);
    const spotlight = await meet('recording', 'layout', url, 'spotlight', '--pin', 'Ada', '--json');
    expect(spotlight.events).toMatchObject([
      { recording: { state: 'paused', layout: 'spotlight', pin: 'Ada' } },
    ]);
    expect((await recording('resume')).stdout).toMatch(/^recording: .* spotlight with Ada\n$/);
    expect((await recordings('delete', id)).stderr).toContain('still runs');
    expect((await recording('stop', '--quiet')).stdout).toBe('');
    await until(server, id, token, 'ready');
    expect(await recording('stop', '--json')).toMatchObject({ code: 1, error: { code: 'not-recording' } });
  }, 60_000);

  test.each<[words: string[], says: RegExp]>([
    [['start', 'abc', '--size', '1280'], /1280x720/],
    [['start', 'abc', '--bitrate', 'fast'], /such as 2.5M/],
    [['layout', 'abc', 'mosaic'], /Allowed choices are gallery/],
    [['begin', 'abc'], /[Uu]nknown command/],
  ])('%j is wrong usage', async (words, says) => {
    const { code, stderr, stdout } = await meet('recording', ...words);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(says);
    expect(stderr).toContain('meet recording');
  });

  test('without a token it is wrong usage, with another one refused', async () => {
    const without = await run(['recording', 'stop', url], {});
    expect([without.code, without.stderr]).toEqual([2, expect.stringContaining('--host-token')]);
    const forged = await run(['recording', 'stop', url, '--host-token', 'x', '--json'], {});
    expect([forged.code, forged.error]).toEqual([3, expect.objectContaining({ code: 'unauthorized' })]);
  });
});

describe('meet recordings', () => {
  test('lists, shows, shares and opens what was recorded', async () => {
    const list = await recordings('list', meeting);
    expect(list.stdout).toMatch(new RegExp(`^${id}  [-0-9]{10} [:0-9]{5}  ready  0:01  6 B  Weekly\n$`));
    expect((await recordings('list', url, '--json')).events).toMatchObject([{ id, status: 'ready' }]);
    const shown = await recordings('show', id);
    expect(shown.stdout).toContain('file: recording.mp4  6 B\n');
    expect(shown.stdout).toContain('step: transcript  skipped  No provider is configured.\n');
    expect(shown.stdout).toContain('seen by: hosts\n');
    const { stdout } = await recordings('url', id, '--expires', '1m');
    expect(await (await fetch(stdout.trim())).text()).toBe('media ');
    const chapters = await recordings('url', id, '--file', 'chapters.vtt', '--json');
    expect(chapters.events).toMatchObject([{ file: { name: 'chapters.vtt' }, url: expect.any(String) }]);

    const shared = await recordings('access', id, 'link', '--user', 'ann,bob', '--json');
    const [{ link = '' } = {}] = shared.events as { link?: string }[];
    expect(shared.events).toMatchObject([{ access: { scope: 'link', userIds: ['ann', 'bob'] } }]);
    // Whoever has the link needs nothing else.
    const anybody = await run(['recordings', 'show', link, '--json'], {});
    expect([anybody.code, anybody.events]).toMatchObject([0, [{ id, access: { scope: 'link' } }]]);
    expect((await recordings('access', id)).stdout).toBe(`link, ann, bob\n${link}\n`);
  }, 60_000);

  test('says what is not there, and deletes what is', async () => {
    expect(await recordings('show', 'nothing', '--json')).toMatchObject({
      code: 1,
      error: { code: 'recording-not-found' },
    });
    expect(await recordings('url', id, '--file', 'none.mp4', '--json')).toMatchObject({
      code: 1,
      error: { code: 'not-found' },
    });
    expect((await recordings('list')).code).toBe(2);
    expect((await recordings('show', '../x')).code).toBe(2);
    expect((await recordings('delete', id)).stdout).toBe(`${id} is deleted.\n`);
    expect((await recordings('list', meeting)).stdout).toBe('');
    expect((await recordings('delete', id)).code).toBe(1);
  }, 60_000);

  test('the same in a folder, without a server', async () => {
    const made = await RecordingFolder.create(folder, {
      ...{ id: 'one', server: 'http://127.0.0.1:1', meetingId: 'abc', title: 'Weekly', createdAt: 1 },
      options: {
        ...{ layout: 'gallery', width: 1280, height: 720, fps: 30, bitrate: 2_000_000 },
        ...{ format: 'mp4', clock: false, tracksOnly: false },
      },
    });
    await made.become('recording', { startedAt: 1_000 });
    const busy = await recordings('delete', 'one', '--dir', folder, '--json');
    expect(busy).toMatchObject({ code: 1, error: { code: 'recording-busy' } });
    await made.become('stopped', { stoppedAt: 61_000 });
    await made.close();
    await writeFile(join(folder, 'one', 'recording.mp4'), 'film');
    await mkdir(join(folder, 'two'));
    await writeFile(join(folder, 'two', 'recording.json'), '{');

    const list = await recordings('list', '--dir', folder, '--json');
    expect(list.events).toMatchObject([{ id: 'one', status: 'stopped', durationMs: 60_000, sizeBytes: 4 }]);
    expect(list.stderr).toContain('two');
    expect((await recordings('show', 'one', '--dir', folder)).stdout).toContain('file: recording.mp4  4 B');
    const { stdout } = await recordings('url', 'one', '--dir', folder);
    expect(stdout.trim()).toBe(`file://${join(folder, 'one', 'recording.mp4')}`);
    expect((await recordings('access', 'one', 'link', '--dir', folder)).code).toBe(2);
    expect((await recordings('delete', 'one', '--dir', folder)).code).toBe(0);
    expect((await recordings('show', 'one', '--dir', folder, '--json')).error).toMatchObject({
      code: 'not-found',
    });
  }, 60_000);
});
