/** What files cost before they can be sent, and how long a receiver waits for a keyframe that it asks for. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { joinMeeting, type MeetingClient, type RemoteTrack } from '../src/client/index.ts';
import { openFile } from '../src/media/file/open.ts';
import type { EncodedSource } from '../src/media/types.ts';
import { type Benchmark, type Figure, median, type Say, spread } from './harness/figure.ts';
import { CACHE_DIR, CLIP_FILE, CLIP_SECONDS, encodeClip } from './harness/media.ts';
import { Program } from './harness/program.ts';
import { startMeasuredServer } from './harness/server.ts';
import type { ParticipantRequests } from './programs/participants.ts';

const CACHED_OPENS = 10;
const REQUESTS = 40;
/** Between requests, at random, so that they meet the stream at any point of it. */
const PAUSE_MS = { least: 50, most: 250 } as const;
/** The server asks a sender again only a second after it asked last. */
const REMOTE_REQUESTS = 12;
const REMOTE_PAUSE_MS = { least: 1_050, most: 1_450 } as const;
/** A sender answers a request with a keyframe within this. */
const KEYFRAME_TARGET_MS = 250;

export const media: Benchmark = {
  name: 'media',
  title: `opening a ${CLIP_SECONDS} s clip of 720p and speech, and keyframes on request`,
  run: async (say) => [...(await opening(say)), ...(await keyframes(say))],
};

async function opening(say: Say): Promise<Figure[]> {
  const cacheDir = await mkdtemp(join(tmpdir(), 'meet-bench-encode-'));
  try {
    say('encoding the clip');
    const { openMs, wholeMs } = await encodeClip(cacheDir);
    const cached: number[] = [];
    for (let i = 0; i < CACHED_OPENS; i += 1) cached.push((await encodeClip(cacheDir)).openMs);
    return [
      { name: 'open, not in the cache', value: openMs, unit: 'ms' },
      { name: 'open, cached, p50', value: median(cached), unit: 'ms' },
      { name: 'encode three layers and sound', value: wholeMs / 1000, unit: 's' },
      { name: 'encoding speed', value: CLIP_SECONDS / (wholeMs / 1000), unit: '× real time' },
    ];
  } finally {
    await rm(cacheDir, { recursive: true, force: true });
  }
}

async function keyframes(say: Say): Promise<Figure[]> {
  await encodeClip(CACHE_DIR);
  say('asking for keyframes');
  const local = await askSource();
  const remote = await askThroughServer();
  return [
    ...spread('keyframe from the file on request', 'ms', local, 'p95', { high: KEYFRAME_TARGET_MS }),
    ...spread('keyframe at a receiver on its request', 'ms', remote, 'p95'),
  ];
}

/** Asks every layer in turn; from the request to the keyframe's way out of the source. */
async function askSource(): Promise<number[]> {
  const source = await openFile({ video: CLIP_FILE, loop: true, cacheDir: CACHE_DIR });
  const layers = source.video!.layers.length;
  const waiting: (() => void)[][] = Array.from({ length: layers }, () => []);
  const failed = Promise.withResolvers<never>();
  source.start({
    frame: ({ kind, layer, keyframe }) => {
      if (kind === 'video' && keyframe) for (const resolve of waiting[layer]!.splice(0)) resolve();
    },
    ended: () => failed.reject(new Error('The source ended')),
    failed: failed.reject,
  });
  try {
    return await Promise.race([failed.promise, ask(source, waiting)]);
  } finally {
    await source.close();
  }
}

async function ask(source: EncodedSource, waiting: readonly (() => void)[][]): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < REQUESTS; i += 1) {
    await pause(PAUSE_MS);
    const layer = i % waiting.length;
    const startedAt = performance.now();
    const { promise, resolve } = Promise.withResolvers<void>();
    waiting[layer]!.push(resolve);
    source.requestKeyFrame(layer);
    await promise;
    times.push(performance.now() - startedAt);
  }
  return times;
}

/** From a receiver's request, through the server to the sender and back, to the whole keyframe. */
async function askThroughServer(): Promise<number[]> {
  const server = await startMeasuredServer();
  const sender = new Program<ParticipantRequests>('participants');
  let client: MeetingClient | undefined;
  try {
    const meeting = await server.newMeeting();
    const source = { file: CLIP_FILE, cacheDir: CACHE_DIR };
    await sender.ask('join', { meeting, count: 1, source, receive: 'none' });
    client = await joinMeeting({ meeting, displayName: 'Bench' });
    const track = await firstVideoTrack(client);
    await nextKeyframe(track);
    const times: number[] = [];
    for (let i = 0; i < REMOTE_REQUESTS; i += 1) {
      await pause(REMOTE_PAUSE_MS);
      const startedAt = performance.now();
      track.requestKeyFrame();
      await nextKeyframe(track);
      times.push(performance.now() - startedAt);
    }
    return times;
  } finally {
    await client?.leave();
    await sender.close();
    await server.close();
  }
}

function firstVideoTrack(client: MeetingClient): Promise<RemoteTrack> {
  return new Promise((resolve) => {
    client.on('track', (track) => {
      if (track.kind === 'video') resolve(track);
    });
  });
}

function nextKeyframe(track: RemoteTrack): Promise<void> {
  return new Promise((resolve) => {
    const listen = ({ keyframe }: { keyframe: boolean }) => {
      if (!keyframe) return;
      track.off('frame', listen);
      resolve();
    };
    track.on('frame', listen);
  });
}

function pause({ least, most }: { least: number; most: number }): Promise<void> {
  return delay(least + Math.random() * (most - least));
}
