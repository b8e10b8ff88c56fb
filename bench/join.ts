/** From the start of `meet join` to the first decoded picture of somebody who is there already. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { joinMeeting } from '../src/client/index.ts';
import { type MeetEvent, meet } from '../test/support/meet-process.ts';
import { type Picture, WarmDecoder } from './harness/decoder.ts';
import { type Benchmark, type Figure, median, quantile, type Say, spread } from './harness/figure.ts';
import { CACHE_DIR, CLIP_FILE, encodeClip } from './harness/media.ts';
import { Program } from './harness/program.ts';
import { type MeasuredServer, startMeasuredServer } from './harness/server.ts';
import type { ParticipantRequests } from './programs/participants.ts';

const JOINS = 20;
/** Not counted: they fill Node's compile cache and the file system's, as the first command of a day does. */
const WARM_UPS = 2;
const DECODES = 10;
const TARGET_MS = 500;

export const join: Benchmark = {
  name: 'join',
  title: `\`meet join\` to the first decoded picture, ${JOINS} joins, one other participant sending 720p and speech`,
  run: async (say) => {
    await encodeClip(CACHE_DIR);
    const server = await startMeasuredServer();
    const sender = new Program<ParticipantRequests>('participants');
    try {
      const meeting = await server.newMeeting();
      const source = { file: CLIP_FILE, cacheDir: CACHE_DIR };
      await sender.ask('join', { meeting, count: 1, source, receive: 'none' });
      const decodeMs = await timeDecoding(meeting);
      const emptyMs = await timeEmptyProgram();
      const joins = await joinRepeatedly(server, meeting, say);
      return figures(joins, decodeMs, emptyMs);
    } finally {
      await sender.close();
      await server.close();
    }
  },
};

/** One join; all in milliseconds. */
interface Join {
  /** From the start of the process. */
  readonly video: number;
  readonly audio: number;
  /** The join request is at the server. */
  readonly request: number;
  /** The signaling connection is at the server. */
  readonly signaling: number;
  /** Media is connected. */
  readonly joined: number;
  /** How long these two took. */
  readonly ice: number;
  readonly dtls: number;
}

function figures(joins: readonly Join[], decodeMs: number, emptyMs: number): Figure[] {
  const of = (value: (join: Join) => number) => joins.map(value);
  const video = of((join) => join.video);
  const decoded = video.map((ms) => ms + decodeMs);
  const steps: [name: string, value: (join: Join) => number][] = [
    ['starting Node', () => emptyMs],
    ['loading the program', ({ request }) => request - emptyMs],
    ['REST request', ({ signaling, request }) => signaling - request],
    ['signaling, offer and answer', ({ joined, signaling, ice, dtls }) => joined - signaling - ice - dtls],
    ['ICE', ({ ice }) => ice],
    ['DTLS', ({ dtls }) => dtls],
    ['waiting for the keyframe', (join) => join.video - join.joined],
    ['decoding it', () => decodeMs],
  ];
  return [
    { name: 'first decoded picture, p50', value: median(decoded), unit: 'ms' },
    { name: 'first decoded picture, p95', value: quantile(decoded, 0.95), unit: 'ms', target: TARGET_MS },
    ...spread('first keyframe, complete', 'ms', video, 'p95'),
    ...spread(
      'first Opus frame',
      'ms',
      joins.map(({ audio }) => audio),
      'p95',
    ),
    ...steps.map(([name, value]) => ({ name: `of it ${name}, p50`, value: median(of(value)), unit: 'ms' })),
  ];
}

async function joinRepeatedly(server: MeasuredServer, meeting: string, say: Say): Promise<Join[]> {
  const joins: Join[] = [];
  for (let i = -WARM_UPS; i < JOINS; i += 1) {
    say(`join ${Math.max(0, i + 1)} of ${JOINS}`);
    const one = await joinOnce(server, meeting);
    if (i >= 0) joins.push(one);
  }
  return joins;
}

async function joinOnce({ program }: MeasuredServer, meeting: string): Promise<Join> {
  await program.ask('takeArrivals');
  const startedAt = performance.timeOrigin + performance.now();
  const command = meet(['join', meeting, '--json', '--name', 'Viewer']);
  const since = ({ at }: MeetEvent) => Number(at) - startedAt;
  const first = (kind: string) => command.waitFor('first-media', (event) => event.kind === kind);
  const [joined, audio, video] = await Promise.all([
    command.waitFor('joined'),
    first('audio'),
    first('video'),
  ]);
  const { requests, connections } = await program.ask('takeArrivals');
  await command.stop();
  const { ice, dtls } = joined.ms as { ice: number; dtls: number };
  return {
    video: since(video),
    audio: since(audio),
    request: requests[0]! - startedAt,
    // The first connection is that of the request.
    signaling: connections[1]! - startedAt,
    joined: since(joined),
    ice,
    dtls,
  };
}

/** How long a decoder that is up already takes for the keyframe with which a receiver begins. */
async function timeDecoding(meeting: string): Promise<number> {
  const picture = await firstPicture(meeting);
  const decoder = await WarmDecoder.start(picture);
  const times: number[] = [];
  for (let i = 0; i < DECODES; i += 1) times.push(await decoder.decode(picture));
  await decoder.close();
  return median(times);
}

async function firstPicture(meeting: string): Promise<Picture> {
  const client = await joinMeeting({ meeting, displayName: 'Viewer' });
  const { promise, resolve } = Promise.withResolvers<Picture>();
  client.on('track', (track) =>
    track.on('frame', ({ keyframe, data, width, height }) => {
      if (track.kind === 'video' && keyframe && width !== undefined && height !== undefined)
        resolve({ data, width, height });
    }),
  );
  const picture = await promise;
  await client.leave();
  return picture;
}

/** From the start of a process to the first line of a script of one line: what Node itself takes. */
async function timeEmptyProgram(): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 5; i += 1) {
    const startedAt = performance.timeOrigin + performance.now();
    const child = spawn(process.execPath, ['-p', 'performance.timeOrigin + performance.now()']);
    let output = '';
    child.stdout.on('data', (data: Buffer) => {
      output += String(data);
    });
    await once(child, 'close');
    times.push(Number(output) - startedAt);
  }
  return median(times);
}
