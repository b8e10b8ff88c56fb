/** `meet recordings upload` and `policy` against an S3 that checks signatures, and in a folder. */
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { RecordingFolder } from '../../../src/recorder/folder/index.ts';
import { run, stopAll } from '../../support/meet-process.ts';
import { startS3, type TestS3 } from '../../support/s3.ts';

const DAY_MS = 24 * 3600 * 1000;

let s3: TestS3;
let directory: string;
beforeAll(async () => {
  s3 = await startS3({
    refuse: (kind, xml) => {
      if (kind === 'lifecycle' && xml.includes('GLACIER'))
        return ['InvalidStorageClass', 'There is no glacier near here.'];
      return kind === 'replication'
        ? ['InvalidRequest', 'Versioning must be Enabled on the bucket.']
        : undefined;
    },
  });
});
afterAll(async () => {
  await stopAll();
  await s3?.stop();
});
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'meet-recordings-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const location = () => `s3://${s3.bucket}/rec?endpoint=${s3.endpoint}&region=us-east-1&path-style=1`;
const meet = (...words: string[]) =>
  run(['recordings', ...words], {
    env: {
      AWS_ACCESS_KEY_ID: s3.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: s3.credentials.secretAccessKey,
      AWS_EC2_METADATA_DISABLED: 'true',
    },
  });

async function makeRecording(id: string, state: 'recording' | 'stopped'): Promise<string> {
  const folder = await RecordingFolder.create(directory, {
    id,
    server: 'https://meet.example',
    meetingId: 'abc-defg-hij',
    title: null,
    createdAt: 1_700_000_000_000,
    options: {
      layout: 'gallery',
      width: 1280,
      height: 720,
      fps: 30,
      bitrate: 2_500_000,
      format: 'mp4',
      clock: false,
      tracksOnly: false,
    },
  });
  await folder.become('recording');
  if (state === 'stopped') await folder.become('stopped');
  await writeFile(folder.file('live.mp4'), `the picture of ${id}`);
  await folder.close();
  return folder.path;
}

describe('upload', () => {
  test('of all that are over, and again with nothing to say where to and nothing to do', async () => {
    await makeRecording('one', 'stopped');
    await makeRecording('two', 'stopped');
    await makeRecording('running', 'recording');
    const words = ['upload', '--dir', directory];
    const first = await meet(
      ...words,
      '--s3',
      location(),
      '--tag',
      'team=a',
      '--storage-class',
      'STANDARD_IA',
      '--json',
    );
    expect(first).toMatchObject({ code: 0, stderr: '' });
    for (const id of ['one', 'two']) {
      expect(first.events).toContainEqual(
        expect.objectContaining({
          event: 'stored',
          id,
          url: `s3://${s3.bucket}/rec/${id}/recording.mp4`,
          file: 'live.mp4',
          verifiedBy: 'checksum',
          unchanged: false,
        }),
      );
      expect(await readFile(s3.fileOf(`rec/${id}/recording.mp4`), 'utf8')).toBe(`the picture of ${id}`);
    }
    expect(first.events.some(({ id }) => id === 'running')).toBe(false);

    // What is added later is kept as the first was.
    await writeFile(join(directory, 'one', 'chapters.vtt'), 'WEBVTT');
    const second = await meet(...words, '--json');
    expect(second).toMatchObject({ code: 0, stderr: '' });
    expect(second.events.filter(({ unchanged }) => unchanged === false)).toMatchObject([
      { file: 'chapters.vtt' },
    ]);
    expect(await s3.metadataOf('rec/one/chapters.vtt')).toMatchObject({
      'x-amz-tagging': 'team=a',
      'x-amz-storage-class': 'STANDARD_IA',
    });
    const state = JSON.parse(await readFile(join(directory, 'one', 'recording.json'), 'utf8'));
    expect(state.steps.upload).toEqual({ state: 'done', attempts: 1 });
  });

  test('that cannot be is a sentence and an exit code, and keeps everything', async () => {
    const folder = await makeRecording('one', 'stopped');
    const nowhere = await meet('upload', 'one', '--dir', directory);
    expect(nowhere).toMatchObject({ code: 2, stderr: expect.stringContaining('It was never said where') });
    const elsewhere = location().replace(s3.bucket, 'elsewhere');
    const missing = await meet('upload', 'one', '--dir', directory, '--s3', elsewhere);
    expect(missing).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('There is no bucket elsewhere.'),
    });
    expect(await readdir(folder)).toContain('live.mp4');
    const state = JSON.parse(await readFile(join(folder, 'recording.json'), 'utf8'));
    expect(state.steps.upload).toMatchObject({ state: 'failed', attempts: 1 });
  });
});

describe('policy', () => {
  test('is written, as far as the server takes it, and the rest said in its words', async () => {
    const words = ['policy', '--s3', location()];
    const replication = ['--replicate-to', 'second', '--role', 'arn:aws:iam::1:role/copy'];
    const first = await meet(...words, '--apply', ...replication);
    expect(first.code).toBe(3);
    expect(first.stderr).toContain(
      'to GLACIER: the server refused it: InvalidStorageClass: There is no glacier near here.',
    );
    expect(first.stderr).toContain(
      'replication: the server refused it: InvalidRequest: Versioning must be Enabled',
    );
    expect(first.stdout).toContain('deletion: written');

    const again = await meet(...words, '--apply', '--archive', 'off', '--json');
    expect(again).toMatchObject({ code: 0, stderr: '' });
    expect(again.events[0]?.outcomes).toEqual(
      ['remove', 'abort', 'infrequent'].map((feature) => ({ feature, state: 'unchanged' })),
    );
    const shown = await meet(...words);
    expect(shown.code).toBe(0);
    expect(shown.stdout).toContain(
      'lifecycle: after 365 days deleted, replaced versions after 7 days deleted (rec/,',
    );
    expect(shown.stdout).toContain('lifecycle: after 30 days to STANDARD_IA (rec/,');
    expect(shown.stdout).toContain('replication: none');
  });

  test('of a folder removes what nothing has changed in for a year, and only recordings', async () => {
    const old = await makeRecording('old', 'stopped');
    await makeRecording('new', 'stopped');
    await mkdir(join(directory, 'something-else'));
    await writeFile(join(directory, 'something-else', 'notes.txt'), 'keep');
    const then = (Date.now() - 366 * DAY_MS) / 1_000;
    for (const name of await readdir(old)) await utimes(join(old, name), then, then);
    await utimes(join(directory, 'something-else', 'notes.txt'), then, then);
    const words = ['policy', '--dir', directory];
    expect(await meet(...words)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('old  would be deleted'),
    });
    expect(await readdir(directory)).toContain('old');
    const { code, events } = await meet(...words, '--apply', '--json');
    expect(code).toBe(0);
    expect(events).toMatchObject([{ event: 'deleted', id: 'old' }]);
    expect((await readdir(directory)).sort()).toEqual(['new', 'something-else']);
  });
});
