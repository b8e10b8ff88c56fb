/** Chromium and a headless participant in one meeting, over the server's real signaling and media. */
import { once } from 'node:events';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createMeeting } from '../../src/client/api.ts';
import { joinMeeting } from '../../src/client/join.ts';
import type { MeetingClient } from '../../src/client/meeting.ts';
import type { RemoteTrack } from '../../src/client/peer/remote-track.ts';
import { openFile } from '../../src/media/file/open.ts';
import type { ParticipantInfo } from '../../src/protocol/model.ts';
import { barcodeClip } from '../support/barcode-clip.ts';
import { runFfmpeg } from '../support/barcode-ffmpeg.ts';
import { chromiumSkipReason, launchChromium } from '../support/chromium.ts';
import { mediaCacheDir } from '../support/media-cache.ts';
import { saveTracks } from '../support/received.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { join, SignalingClient } from '../support/signaling.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { BrowserParticipant } from './browser-participant.ts';

const isBrowser = ({ name }: ParticipantInfo) => name === 'Browser';
const sources = ({ tracks }: ParticipantInfo) => tracks.map(({ source }) => source).sort();

describe.skipIf(chromiumSkipReason !== undefined)(`Chromium ${chromiumSkipReason ?? ''}`, () => {
  let server: TestServer;
  let proxy: TcpProxy;
  let browser: Browser;
  let page: BrowserParticipant;
  let headless: MeetingClient;
  let saved: ReturnType<typeof saveTracks>;
  const tracks: RemoteTrack[] = [];
  const sizes = new Set<string>();

  beforeAll(async () => {
    let clip: string;
    [server, browser, clip] = await Promise.all([
      startTestServer(),
      launchChromium(),
      barcodeClip({ seconds: 10 }),
    ]);
    proxy = await startTcpProxy(server.port);
    const { meeting } = await createMeeting(server.url, {});
    const source = await openFile({ video: clip, cacheDir: mediaCacheDir(), loop: true });
    headless = await joinMeeting({ meeting: meeting.url, displayName: 'Headless', source });
    headless.on('track', (track) => tracks.push(track));
    saved = saveTracks(headless, ['audio', 'video'], (track, { keyframe, width, height }) => {
      if (track.kind === 'video' && keyframe) sizes.add(`${width}x${height}`);
    });
    page = await BrowserParticipant.open(browser);
    // The page's requests tell the proxy's address, so that all its signaling goes through it.
    await page.run(`start('http://127.0.0.1:${proxy.port}/meetings/${meeting.id}')`);
  }, 120_000);

  afterAll(async () => {
    await headless?.leave();
    await page?.close();
    await browser?.close();
    await proxy?.close();
    await server?.close();
  });

  /** Resolves when the browser's participant, as the headless one sees it, passes. */
  async function seen(passes: (participant: ParticipantInfo) => boolean): Promise<void> {
    while (![...headless.participants.values()].some((each) => isBrowser(each) && passes(each))) {
      await once(headless, 'participant');
    }
  }

  /** The headless participant's newest track of the source. */
  async function trackOf(source: string): Promise<RemoteTrack> {
    for (;;) {
      const track = tracks.findLast((each) => each.source === source && !each.ended);
      if (track !== undefined) return track;
      await once(headless, 'track');
    }
  }

  async function frames(track: RemoteTrack, count: number): Promise<void> {
    for (let i = 0; i < count; i++) await once(track, 'frame');
  }

  test('shows the picture of the headless participant and plays its sound', async () => {
    const inbound = `(await statistics('inbound-rtp'))`;
    await page.until(
      `${inbound}.some(({ frameWidth, framesDecoded }) => frameWidth === 1280 && framesDecoded > 30)`,
    );
    // The clip has a beep a second and silence between.
    await page.until(
      `${inbound}.some(({ kind, totalAudioEnergy }) => kind === 'audio' && totalAudioEnergy > 0)`,
    );
    const counters: (number | undefined)[] = [];
    for (let i = 0; i < 5; i++) {
      counters.push(await page.counter());
      const shown = await page.run<number>(
        `elements.get('camera').getVideoPlaybackQuality().totalVideoFrames`,
      );
      await page.until(`elements.get('camera').getVideoPlaybackQuality().totalVideoFrames > ${shown + 2}`);
    }
    const read = counters.filter((counter) => counter !== undefined);
    expect(read.length).toBeGreaterThanOrEqual(4);
    expect(new Set(read).size).toBe(read.length);
  }, 60_000);

  test('sends three layers of simulcast, which arrive', async () => {
    await seen((participant) => sources(participant).join() === 'camera,microphone');
    const [participant] = [...headless.participants.values()].filter(isBrowser);
    expect(participant?.tracks).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ source: 'camera', codec: 'vp8', layers: 3, muted: false }),
        expect.objectContaining({ source: 'microphone', codec: 'opus', layers: 1 }),
      ]),
    );
    await page.until(
      `(await statistics('outbound-rtp')).filter(({ rid, framesSent }) => rid && framesSent > 30).length === 3`,
      30_000,
    );
    const video = await trackOf('camera');
    while (!sizes.has('1280x720')) await once(video, 'frame');
    await frames(await trackOf('microphone'), 50);
  }, 60_000);

  test('adds a screen by renegotiation', async () => {
    const before = tracks.length;
    await page.run('share()');
    await seen((participant) => sources(participant).join() === 'camera,microphone,screen');
    await frames(await trackOf('screen'), 5);
    expect(tracks.length).toBe(before + 1);
  }, 60_000);

  test('survives a WebSocket that is cut: same participant, media never interrupted', async () => {
    const camera = await trackOf('camera');
    const before = await page.run<number>('states.length');
    const connections = await page.run<number>('connections.length');
    proxy.cut();
    await seen(({ state }) => state === 'reconnecting');
    // Media does not pass the proxy.
    await frames(camera, 10);
    await page.until(`states.slice(${before}).some(({ full, self }) => full && self.resumed)`);
    await seen(({ state }) => state === 'joined');
    await frames(camera, 10);
    expect(camera.ended).toBe(false);
    expect(await page.run('connections.length')).toBe(connections);
    expect([...headless.participants.values()].filter(isBrowser)).toHaveLength(1);
    // The connection is as good as the one before.
    await page.run(
      `meeting.publish('screen-audio', new AudioContext().createMediaStreamDestination().stream.getAudioTracks()[0])`,
    );
    await seen((participant) => sources(participant).includes('screen-audio'));
  }, 60_000);

  test('survives the death of the worker', async () => {
    const before = await page.run<number>('states.length');
    const shown = `(await statistics('inbound-rtp')).find(({ frameWidth }) => frameWidth)?.framesDecoded`;
    const killedAt = performance.now();
    process.kill(server.sfu.workers()[0]!.pid, 'SIGKILL');
    await page.until(`states.slice(${before}).some(({ mediaReset }) => mediaReset)`);
    // The tracks that were saved end here.
    const { audio, video } = await saved;
    await Promise.all([
      page.until(`connections.filter(({ connectionState }) => connectionState === 'connected').length === 2`),
      seen((participant) => sources(participant).length === 4),
    ]);
    const camera = await trackOf('camera');
    await Promise.all([frames(camera, 30), page.until(`${shown} > 30`)]);
    expect(performance.now() - killedAt).toBeLessThan(5_000);

    // What was received before decodes: the fake camera's moving picture, and beeps.
    expect(video.frames).toBeGreaterThan(60);
    const picture = await runFfmpeg([
      ...['-v', 'error', '-nostdin', '-i', video.path, '-vf', 'scale=320:180,mpdecimate'],
      ...['-vsync', 'vfr', '-f', 'rawvideo', '-pix_fmt', 'gray', 'pipe:1'],
    ]);
    expect(picture.stderr).toBe('');
    expect(picture.stdout.length / (320 * 180)).toBeGreaterThan(20);
    const sound = await runFfmpeg(['-nostdin', '-i', audio.path, '-af', 'volumedetect', '-f', 'null', '-']);
    expect(Number(sound.stderr.match(/max_volume: (-?[\d.]+) dB/)?.[1])).toBeGreaterThan(-30);
  }, 60_000);

  test('leaves', async () => {
    await page.run('meeting.leave()');
    await page.until('ended === 1000');
    while ([...headless.participants.values()].some(isBrowser)) await once(headless, 'participant');
  });

  test('waits until a host lets it in, and then begins', async () => {
    const { meeting, hostToken } = await createMeeting(server.url, { settings: { waitingRoom: true } });
    const joined = await join(server.url, meeting.id, 'Host', hostToken);
    const host = await SignalingClient.open(joined.signalingUrl, joined.token);
    const guest = await BrowserParticipant.open(browser);
    try {
      const starting = guest.run(`start(${JSON.stringify(meeting.url)})`);
      const update = await host.state(({ participants }) => participants?.[0]?.state === 'waiting');
      await starting;
      expect(await guest.run('connections.length')).toBe(0);
      await host.request('action', { action: 'admit', participantId: update.participants?.[0]?.id });
      await host.state(({ participants }) => participants?.[0]?.tracks.length === 2);
      await guest.until(`connections.some(({ connectionState }) => connectionState === 'connected')`);
      await guest.run('meeting.leave()');
      await host.leave();
    } finally {
      await guest.close();
    }
  }, 60_000);
});
