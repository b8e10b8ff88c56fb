/** One meeting of `meet join` processes: what each sends, receives, saves, reports, and how each leaves. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { endMeeting } from '../../src/client/api.ts';
import { barcodeClip } from '../support/barcode-clip.ts';
import { runFfmpeg } from '../support/barcode-ffmpeg.ts';
import {
  create,
  type MeetEvent,
  type MeetProcess,
  meet,
  nothingLeft,
  serve,
  stopAll,
} from '../support/meet-process.ts';
import { readSavedFolder, type SavedMedia } from '../support/saved-media.ts';
import { eventFaults } from './events.ts';

const VIDEO_SECONDS = 4;
/** More than a round of the clip. */
const ENOUGH_FRAMES = 5 * 30;
/** Long enough for Cyd to hear everybody, also while clips are being encoded beside it. */
const DURATION_SECONDS = 20;
let url: string;
let folder: string;
let meeting: Awaited<ReturnType<typeof create>>;
/** The participants, by name. */
let ada: MeetProcess;
let bob: MeetProcess;
let cyd: MeetProcess;
let dan: MeetProcess;
let eve: MeetProcess;
const codes = new Map<MeetProcess, number | null>();

interface SentStats {
  readonly bytes: number;
  readonly tracks: { kind: string; layer: number; bytes: number }[];
}
interface ReceivedStats {
  readonly participantId: string;
  readonly kind: string;
  readonly fps: number;
  readonly frames: number;
}

const idOf = async (who: MeetProcess) => String((await who.waitFor('joined')).participantId);
const tracksOf = (who: MeetProcess, id: string) =>
  who.all('track').filter((track) => track.participantId === id);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'meet-join-'));
  const sound = join(folder, 'sound.wav');
  const [started, clip] = await Promise.all([
    serve(join(folder, 'data')),
    barcodeClip({ seconds: VIDEO_SECONDS, width: 640, height: 360 }),
    runFfmpeg(['-f', 'lavfi', '-i', 'sine=frequency=440:duration=6', sound]),
  ]);
  url = started.url;
  meeting = await create(url, ['--password', 'geheim', '--title', 'All of it', '--duration', '30']);
  const participant = (name: string, ...args: string[]) =>
    meet(['join', meeting.url, '--name', name, '--password', 'geheim', ...args]);
  bob = participant('Bob', '--json', '--test-pattern', '--save', join(folder, 'saved', 'below'));
  cyd = participant('Cyd', '--json', '--receive', 'audio', '--duration', `${DURATION_SECONDS}s`);
  eve = meet(['join', meeting.url, '--name', 'Eve', '--host-token', meeting.hostToken, '--receive', 'none']);
  // The test pattern is encoded here when no test has done so before.
  await bob.waitFor('joined', undefined, 60_000);
  ada = participant('Ada', '--json', '--video', clip, '--loop', '--receive', 'audio');
  // An id on a server, both from the environment, and the password from there too.
  dan = meet(['join', meeting.id, '--json', '--receive', 'none', '--audio', sound], {
    env: { MEET_SERVER: url, MEET_NAME: 'Dan', MEET_PASSWORD: 'geheim' },
  });
  const everybody = [ada, bob, cyd, dan, eve];
  for (const who of everybody) void who.exited.then(({ code }) => codes.set(who, code));
  await Promise.all([ada, dan].map((who) => who.waitFor('joined')));
  const frames = (event: MeetEvent) =>
    (event.received as ReceivedStats[]).filter(({ kind }) => kind === 'video').map((track) => track.frames);
  await bob.waitFor('stats', (event) => frames(event).some((count) => count >= ENOUGH_FRAMES), 60_000);
  await Promise.all([dan.exited, cyd.exited]);
  await ada.stop('SIGTERM');
  await bob.waitFor('participant', ({ name, state }) => name === 'Ada' && state === 'left');
  await bob.stop('SIGINT');
  await endMeeting({ server: url, meetingId: meeting.id }, meeting.hostToken);
  await eve.exited;
}, 120_000);
afterAll(stopAll);

describe('events', () => {
  test('are as documented, the last one says why it left', () => {
    const reasons = { left: [cyd, dan], interrupted: [ada, bob] };
    for (const [reason, who] of Object.entries(reasons)) {
      for (const { events, lines, stderr } of who) {
        expect(eventFaults(events)).toEqual([]);
        expect(lines).toEqual([]);
        expect(stderr).toBe('');
        expect(events.at(-1)).toMatchObject({ event: 'left', reason });
        const times = events.map(({ at }) => Number(at));
        expect(times).toEqual([...times].sort((a, b) => a - b));
      }
    }
  });

  test('joined comes once, with the meeting and what took how long', () => {
    for (const who of [ada, bob, cyd, dan]) {
      expect(who.all('joined')).toHaveLength(1);
      expect(who.all('joined')[0]).toMatchObject({ meetingId: meeting.id });
    }
    const { ms } = bob.all('joined')[0]!;
    const { ice, dtls } = ms as { ice: number; dtls: number };
    expect(ice).toBeGreaterThan(0);
    expect(dtls).toBeGreaterThan(0);
  });

  test('participant tells each change of everybody, oneself included, once', async () => {
    const names = new Set(bob.all('participant').map(({ name }) => name));
    expect([...names].sort()).toEqual(['Ada', 'Bob', 'Cyd', 'Dan', 'Eve']);
    const told = bob.all('participant').map(({ id, state }) => `${id} ${state}`);
    expect(new Set(told).size).toBe(told.length);
    expect(told).toContain(`${await idOf(ada)} left`);
  });

  test('track and first-media come for what is received, and for nothing else', async () => {
    const [adaId, bobId, danId] = await Promise.all([ada, bob, dan].map(idOf));
    expect(tracksOf(bob, adaId!)).toMatchObject([
      { kind: expect.any(String), codec: expect.any(String) },
      { kind: expect.any(String), codec: expect.any(String) },
    ]);
    expect(
      tracksOf(bob, adaId!)
        .map(({ kind, source, codec }) => `${kind} ${source} ${codec}`)
        .sort(),
    ).toEqual(['audio microphone opus', 'video camera vp8']);
    expect(tracksOf(bob, danId!).map(({ kind }) => kind)).toEqual(['audio']);
    expect(tracksOf(bob, bobId!)).toEqual([]);
    // --receive audio and none.
    for (const who of [ada, cyd]) {
      expect(new Set(who.all('track').map(({ kind }) => kind))).toEqual(new Set(['audio']));
      expect(tracksOf(who, bobId!)).toHaveLength(1);
    }
    expect(dan.all('track')).toEqual([]);
    for (const who of [ada, bob, cyd, dan]) {
      const key = ({ participantId, kind }: Record<string, unknown>) => `${participantId} ${kind}`;
      expect(who.all('first-media').map(key).sort()).toEqual(who.all('track').map(key).sort());
    }
  });

  test('stats come each second and count what is sent and received', async () => {
    const adaId = await idOf(ada);
    const stats = bob.all('stats');
    const times = stats.map(({ at }) => Number(at));
    expect(stats.length).toBeGreaterThanOrEqual(5);
    const mean = (times.at(-1)! - times[0]!) / (times.length - 1);
    expect(mean).toBeGreaterThan(900);
    expect(mean).toBeLessThan(1_500);
    const sent = stats.at(-1)?.sent as SentStats;
    expect(sent.tracks.map(({ kind, layer }) => `${kind} ${layer}`).sort()).toEqual([
      'audio 0',
      'video 0',
      'video 1',
      'video 2',
    ]);
    expect(sent.bytes).toBe(sent.tracks.reduce((sum, { bytes }) => sum + bytes, 0));
    const pictures = stats
      .flatMap(({ received }) => received as ReceivedStats[])
      .filter(({ participantId, kind }) => participantId === adaId && kind === 'video');
    // A busy machine gets a lower layer for a while.
    expect(pictures.at(-1)).toMatchObject({
      width: expect.any(Number),
      height: expect.toBeOneOf([180, 360]),
    });
    const fps = pictures.map((picture) => picture.fps);
    expect(Math.max(...fps)).toBeGreaterThan(20);
    expect(Math.max(...fps)).toBeLessThan(45);
    expect(stats.at(-1)?.rttMs).toBeGreaterThan(0);
    // Whoever sends nothing has nothing in it.
    expect(cyd.all('stats').at(-1)).toMatchObject({ sent: { packets: 0, tracks: [] } });
    expect(dan.all('stats').at(-1)).toMatchObject({ received: [] });
  });
});

describe('--save', () => {
  let saved: Map<string, SavedMedia[]>;
  beforeAll(async () => {
    saved = await readSavedFolder(join(folder, 'saved', 'below'));
  });

  test('makes a playable file of each track that came', () => {
    expect([...saved.keys()].sort()).toEqual(['Ada', 'Dan']);
    expect(saved.get('Ada')?.map(({ kind, codec }) => `${kind} ${codec}`)).toEqual([
      'video vp8',
      'audio opus',
    ]);
    expect(saved.get('Dan')?.map(({ kind }) => kind)).toEqual(['audio']);
  });

  test('with what was sent in it', () => {
    const [video, audio] = saved.get('Ada') ?? [];
    expect(video?.height).toBeOneOf([180, 360]);
    expect(video?.frames).toBeGreaterThanOrEqual(ENOUGH_FRAMES);
    expect(video?.seconds).toBeGreaterThan(4.5);
    expect(audio?.seconds).toBeGreaterThan(4.5);
    expect(saved.get('Dan')?.[0]?.seconds).toBeGreaterThan(4);
  });
});

describe('leaving', () => {
  test('after --duration and at the end of a file is 0, by a signal 130, at the end of the meeting 0', () => {
    expect([ada, bob, cyd, dan, eve].map((who) => codes.get(who))).toEqual([130, 130, 0, 0, 0]);
    // His own place in the meeting is the first that he hears of.
    const [taken, left] = [cyd.events[0], cyd.all('left')[0]].map((event) => Number(event?.at));
    expect(left! - taken!).toBeGreaterThan(DURATION_SECONDS * 1000 - 500);
    expect(left! - taken!).toBeLessThan(DURATION_SECONDS * 1000 + 2_000);
    expect(eve.stdout.trim().split('\n').at(-1)).toBe('The meeting has ended.');
  });

  test('leaves no process behind', async () => {
    await stopAll();
    await nothingLeft();
  });
});

test('people read sentences, without escape codes where there is no terminal', () => {
  expect(eve.stdout).toContain(`Joined ${meeting.id} as Eve.\n`);
  expect(eve.stdout).toContain('Ada is here.\n');
  expect(eve.stdout).toContain('Ada left.\n');
  expect(eve.stdout).not.toContain('\u001b');
  expect(eve.stderr).toBe('');
});
