/** `meet share` as people start it: a real server, a real display, and what a receiver gets. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { runFfmpeg } from '../support/barcode-ffmpeg.ts';
import {
  create,
  type MeetEvent,
  type MeetProcess,
  meet,
  nothingLeft,
  run,
  serve,
  stopAll,
} from '../support/meet-process.ts';
import { textPage } from '../support/pictures.ts';
import { Painter } from '../support/x11-painter.ts';
import { hasXvfb, type Screen, startScreen } from '../support/xvfb.ts';

const SIZE = { width: 1280, height: 720 };

let folder: string;
let server: MeetProcess;
let url: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'meet-share-'));
  ({ server, url } = await serve(join(folder, 'data')));
}, 60_000);
afterAll(async () => {
  await server?.stop();
  await stopAll();
  await nothingLeft();
  await rm(folder, { recursive: true, force: true });
});
const running: MeetProcess[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop()));
});

function start(args: readonly string[], input?: Buffer): MeetProcess {
  const command = meet([...args, '--json'], input === undefined ? {} : { input });
  running.push(command);
  return command;
}

const isScreen = ({ source, kind }: MeetEvent) => source === 'screen' && kind === 'video';

describe.runIf(hasXvfb)('a display', () => {
  let screen: Screen;
  let painter: Painter;
  beforeAll(async () => {
    screen = await startScreen(SIZE);
    painter = await Painter.open(screen.display);
    const window = await painter.window({ x: 0, y: 0, ...SIZE, title: 'Slides' });
    await window.paint(await textPage(1, SIZE));
  });
  afterAll(async () => {
    painter?.close();
    await screen?.close();
  });

  test('is shared, saved apart from cameras, refused to a second, and stopped by a host', async () => {
    const meeting = await create(url);
    const save = join(folder, 'received');
    const receiver = start(['join', meeting.url, '--name', 'Bob', '--save', save]);
    await receiver.waitFor('joined');
    const camera = ['--camera', 'lavfi:testsrc2=size=160x90:rate=5', '--mic', 'lavfi:sine'];
    const ada = start(['share', meeting.url, '--name', 'Ada', '--display', screen.display, ...camera]);
    await receiver.waitFor('track', isScreen);
    await receiver.waitFor('track', ({ source }) => source === 'camera');
    // On a busy machine the server takes some time to trust the receiver's path.
    await receiver.waitFor('first-media', ({ kind }) => kind === 'video', 45_000);

    const second = await run(['share', meeting.url, '--json', '--name', 'Eve', '--display', screen.display]);
    expect(second.code).toBe(3);
    expect(second.error).toMatchObject({
      code: 'share-taken',
      message: expect.stringContaining('Ada is sharing'),
    });

    const stop = await run(['host', meeting.url, 'stop-share', 'Ada', '--host-token', meeting.hostToken]);
    expect(stop.code).toBe(0);
    expect((await ada.exited).code).toBe(3);
    expect(ada.error).toMatchObject({ code: 'share-stopped' });
    await receiver.stop();
    const files = await readdir(save);
    expect(files.map((name) => name.replace(/-[0-9a-f]+\.\w+$/, '')).sort()).toEqual([
      'Ada-camera',
      'Ada-microphone',
      'Ada-screen',
    ]);
    const { stdout } = await runFfmpeg([
      ...['-v', 'error', '-i', join(save, files.find((name) => name.startsWith('Ada-screen'))!)],
      ...['-vf', 'scale=64:36,format=gray', '-f', 'rawvideo', '-'],
    ]);
    // The page is white with some text, whatever of it was sent first.
    const last = stdout.subarray(-64 * 36);
    expect(last.reduce((sum, shade) => sum + shade, 0) / last.length).toBeGreaterThan(150);
  }, 90_000);

  test('is refused to others than hosts where sharing is off', async () => {
    const meeting = await create(url);
    const host = ['--host-token', meeting.hostToken];
    const member = start(['join', meeting.url, '--name', 'Bob']);
    await member.waitFor('joined');
    expect((await run(['host', meeting.url, 'screen-sharing', 'off', ...host])).code).toBe(0);
    const args = ['share', meeting.url, '--json', '--display', screen.display];
    const refused = await run(args);
    expect([refused.code, refused.error?.code]).toEqual([3, 'forbidden']);
    start([...args.slice(0, 2), '--display', screen.display, ...host]);
    await member.waitFor('track', isScreen);
  }, 60_000);

  test('and its windows are listed with their options', async () => {
    const listed = await run(['devices', '--json', '--display', screen.display]);
    expect(listed.code).toBe(0);
    const [devices] = listed.events as unknown as [{ screens: unknown[]; windows: unknown[] }];
    expect(devices.screens[0]).toMatchObject({
      option: ['--display', screen.display],
      place: { ...SIZE, x: 0, y: 0 },
    });
    expect(devices.windows).toEqual([
      expect.objectContaining({ name: 'Slides', option: expect.arrayContaining(['--window']) }),
    ]);
  });
});

test('a video is shared with its sound to its end, a stream while it lasts', async () => {
  const meeting = await create(url);
  const receiver = start(['join', meeting.url, '--name', 'Bob']);
  await receiver.waitFor('joined');
  const clip = join(folder, 'clip.mp4');
  await runFfmpeg([
    ...['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=s=640x360:r=25:d=3', '-f', 'lavfi', '-i', 'sine=d=3'],
    ...['-shortest', '-pix_fmt', 'yuv420p', clip],
  ]);
  const file = start(['share', meeting.url, '--name', 'Ada', '--file', clip]);
  await receiver.waitFor('track', isScreen);
  await receiver.waitFor('track', ({ source }) => source === 'screen-audio');
  expect((await file.exited).code).toBe(0);

  const pictures = await runFfmpeg([
    ...[
      '-v',
      'error',
      '-f',
      'lavfi',
      '-i',
      'testsrc2=s=64x36:r=25:d=2',
      '-f',
      'rawvideo',
      '-pix_fmt',
      'gray',
      '-',
    ],
  ]);
  const stream = start(
    [
      ...['share', meeting.url, '--name', 'Eve', '--stdin', '--input-format'],
      '-f rawvideo -pixel_format gray -video_size 64x36 -framerate 25',
    ],
    pictures.stdout,
  );
  const count = receiver.all('track').length;
  await receiver.waitFor(
    'track',
    (event) => isScreen(event) && receiver.all('track').indexOf(event) >= count - 1,
  );
  expect((await stream.exited).code).toBe(0);
}, 60_000);

test.each([
  [['--file', '/nowhere/slides.pdf'], 2, 'media-not-found'],
  [['--display', 'hello'], 2, 'bad-config'],
  [['--display', ':0', '--region', 'large'], 2, 'bad-config'],
  [['--display', ':63998'], 1, 'device-unusable'],
  [['--stdin'], 1, 'media-unusable'],
])('what cannot be shared is said before anybody is told of it: %j', async (args, code, name) => {
  const failed = await run(['share', `${url}/meetings/abc-defg-hij`, '--json', ...args], {
    input: 'no media',
  });
  expect([failed.code, failed.error?.code]).toEqual([code, name]);
});

test('what is no PDF although it says so is a sentence', async () => {
  const path = join(folder, 'broken.pdf');
  await writeFile(path, '%PDF-1.4 nothing more');
  const failed = await run(['share', `${url}/meetings/abc-defg-hij`, '--json', '--file', path]);
  expect([failed.code, failed.error?.code]).toEqual([1, 'media-unusable']);
});
