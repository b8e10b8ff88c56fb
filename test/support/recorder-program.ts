/**
 * Stands in for `meet record` and `meet recordings process` where the server's side of recordings is tested: it joins as
 * a recorder, does what it is told over stdin and signaling, and says what it does, but records no media.
 * `MEET_TEST_RECORDER` says how it fails.
 */
import { appendFileSync, existsSync, readFileSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import type { RecorderControl } from '../../src/protocol/recorder.ts';

/** Nothing that a test forgets goes on for longer. */
const LIFETIME_MS = 120_000;
setTimeout(() => process.exit(9), LIFETIME_MS).unref();

const text = { type: 'string' } as const;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean' },
    ...{ dir: text, id: text, layout: text, pin: text, size: text, fps: text, bitrate: text, format: text },
    ...{ s3: text, clock: { type: 'boolean' }, 'tracks-only': { type: 'boolean' } },
  },
});
const failure = process.env.MEET_TEST_RECORDER ?? '';
const say = (event: string, data: object = {}) =>
  writeSync(1, `${JSON.stringify({ event, at: Date.now(), ...data })}\n`);
const fail = (message: string): never => {
  writeSync(2, `${JSON.stringify({ error: { code: 'internal', message } })}\n`);
  process.exit(1);
};

if (positionals[0] === 'recordings') processRecording(positionals[2] ?? '');
else await record(positionals[1] ?? '', values.id ?? '');

async function upload(url: string, id: string, file: string): Promise<void> {
  const { openObjectStore } = await import('../../src/server/store/index.ts');
  const store = await openObjectStore(url, { secret: 'of no use with an S3' });
  await store.put(`${id}/recording.mp4`, readFileSync(file));
  await store.put(`${id}/tracks/1.mkv`, readFileSync(file));
  store.close();
  say('uploaded', { location: url });
}

function processRecording(id: string): void {
  const folder = join(values.dir ?? '', id);
  say('step', { step: 'chapters', state: 'running' });
  writeFileSync(join(folder, 'chapters.vtt'), 'WEBVTT\n');
  say('step', { step: 'chapters', state: 'done' });
  say('step', { step: 'transcript', state: 'skipped', note: 'No provider is configured.' });
  say('processed', { done: true });
}

async function record(meeting: string, id: string): Promise<void> {
  const folder = join(values.dir ?? '', id);
  const live = join(folder, 'live.mp4');
  // What it was started with, for tests to look at.
  appendFileSync(join(folder, 'starts.jsonl'), `${JSON.stringify({ pid: process.pid, ...values })}\n`);
  if (failure === 'die-at-start') fail('It does not start.');
  appendFileSync(live, 'media ');
  // Loaded only here: it takes longer than all the rest.
  const { joinMeeting } = await import('../../src/client/join.ts');
  const joining = joinMeeting({
    meeting,
    displayName: 'Recorder',
    hostToken: process.env.MEET_HOST_TOKEN ?? '',
    recorder: true,
    receive: 'none',
    reconnectTimeoutMs: 20_000,
  });
  const client = await joining.catch((error: Error) => fail(error.message));
  let state = 'recording';
  let { layout = 'gallery', pin } = values;
  say('recording-started', { startedAt: Date.now() });
  say('recording-state', { state, layout, pin });
  if (failure === 'disk-full') say('disk-full');

  const follow = (control: RecorderControl) => {
    if (failure === 'deaf') return;
    if (control.stop) return void finish('asked to');
    const before = JSON.stringify([state, layout, pin]);
    if (control.paused !== undefined) state = control.paused ? 'paused' : 'recording';
    if (control.layout !== undefined) layout = control.layout;
    if (control.pin !== undefined) pin = control.pin ?? undefined;
    if (JSON.stringify([state, layout, pin]) !== before) say('recording-state', { state, layout, pin });
  };
  const followState = () => {
    const wanted = client.recording.state;
    if (wanted?.id !== id) return;
    const { layout: name, pin: person = null } = wanted;
    follow({
      ...{ layout: name, pin: person },
      ...(wanted.state === 'paused' ? { paused: true } : {}),
      ...(wanted.state === 'recording' ? { paused: false } : {}),
      ...(wanted.state === 'stopping' ? { stop: true } : {}),
    });
  };
  client.on('recording', followState);
  followState();
  createInterface({ input: process.stdin }).on('line', (line) => follow(JSON.parse(line)));
  process.on('SIGTERM', () => void finish('SIGTERM'));
  client.on('left', () => void finish('left'));

  let finishing = false;
  async function finish(reason: string): Promise<void> {
    if (finishing) return;
    finishing = true;
    await client.leave();
    say('stopped', { reason });
    writeFileSync(join(folder, 'recording.mp4'), readFileSync(live));
    const file = 'recording.mp4';
    if (values.s3 !== undefined) await upload(values.s3, id, join(folder, file));
    say('finished', { file, durationMs: 1_000, sizeBytes: statSync(join(folder, file)).size });
    process.exit(existsSync(live) ? 0 : 1);
  }
}
