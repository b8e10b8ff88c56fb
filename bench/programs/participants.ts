/** Headless participants, any number of them in one process, that count and time what they receive. */
import type { MeetingClient, RemoteTrack } from '../../src/client/index.ts';
import { joinMeeting } from '../../src/client/index.ts';
import { systemClock } from '../../src/client/rtp/clock.ts';
import type { ReceivedFrame } from '../../src/client/types.ts';
import { openFile } from '../../src/media/file/open.ts';
import type { EncodedSource } from '../../src/media/types.ts';
import { answer } from '../harness/program.ts';
import { type SyntheticOptions, SyntheticSource, sharedClockMs, stampOf } from './synthetic-source.ts';

export interface JoinRequest {
  /** One for all, or one for each in turn. */
  readonly meeting: string | readonly string[];
  readonly count: number;
  /** What each sends; nothing when absent. */
  readonly source?:
    | { readonly synthetic: SyntheticOptions }
    | { readonly file: string; readonly cacheDir: string };
  readonly receive: 'all' | 'audio' | 'none';
}

export interface Counters {
  readonly sent: number;
  readonly received: number;
  /** Packets that never came. */
  readonly lost: number;
  /** CPU time of this process since its start, microseconds. */
  readonly cpuUs: number;
}

/** The whole frames of one track as they came, times on the shared clock, milliseconds. */
export interface Arrivals {
  readonly receiver: string;
  readonly sender: string;
  readonly kind: 'audio' | 'video';
  readonly times: Float64Array;
}

export interface Disturbance {
  readonly participant: string;
  readonly event: 'reconnecting' | 'reconnected' | 'left';
  /** Shared clock, milliseconds. */
  readonly at: number;
  readonly detail: string;
}

/** More at once would measure the queue of the server's TCP port. */
const JOINS_AT_ONCE = 4;

const clients: MeetingClient[] = [];
const disturbances: Disturbance[] = [];
let onFrame: ((client: MeetingClient, track: RemoteTrack, frame: ReceivedFrame) => void) | undefined;
let arrivals: Map<RemoteTrack, { receiver: string; times: number[] }> | undefined;

async function openSource(source: JoinRequest['source']): Promise<EncodedSource | undefined> {
  if (source === undefined) return undefined;
  if ('synthetic' in source) return new SyntheticSource(source.synthetic);
  return openFile({ video: source.file, loop: true, cacheDir: source.cacheDir });
}

function watch(client: MeetingClient): void {
  const watchTrack = (track: RemoteTrack) => {
    track.on('frame', (frame) => onFrame?.(client, track, frame));
  };
  for (const track of client.tracks) watchTrack(track);
  client.on('track', watchTrack);
  const note = (event: Disturbance['event'], detail: string) =>
    disturbances.push({ participant: client.self.id, event, at: sharedClockMs(), detail });
  client.on('reconnecting', ({ reason }) => note('reconnecting', reason));
  client.on('reconnected', ({ ms }) => note('reconnected', `${ms} ms`));
  client.on('left', ({ reason }) => note('left', reason));
}

/** @param index counts the participants of a request */
async function joinOne({ meeting, source, receive }: JoinRequest, index: number): Promise<MeetingClient> {
  const opened = await openSource(source);
  const client = await joinMeeting({
    meeting: typeof meeting === 'string' ? meeting : meeting[index % meeting.length]!,
    displayName: 'Bench',
    receive,
    ...(opened === undefined ? {} : { source: opened }),
  });
  clients.push(client);
  watch(client);
  await client.whenConnected();
  return client;
}

async function leaveAll(): Promise<void> {
  onFrame = undefined;
  arrivals = undefined;
  await Promise.all(clients.splice(0).map((client) => client.leave()));
}

const requests = {
  /** Joins them and gives their participant ids once their media is connected. */
  join: async (request: JoinRequest): Promise<string[]> => {
    const ids: string[] = [];
    let left = request.count;
    await Promise.all(
      Array.from({ length: Math.min(JOINS_AT_ONCE, left) }, async () => {
        while (left > 0) {
          left -= 1;
          ids.push((await joinOne(request, left)).self.id);
        }
      }),
    );
    return ids;
  },

  /** Resolves once every participant, or the given share of them, has had a whole picture of so many others. */
  untilReceiving: async ({
    videos,
    timeoutMs,
    share = 1,
  }: {
    videos: number;
    timeoutMs: number;
    share?: number;
  }): Promise<void> => {
    const seen = ({ tracks }: MeetingClient) =>
      tracks.filter((track) => track.kind === 'video' && (track.stats()?.frames ?? 0) > 0).length;
    const deadline = performance.now() + timeoutMs;
    while (clients.filter((client) => seen(client) >= videos).length < clients.length * share) {
      if (performance.now() > deadline) {
        const counts = clients.map(seen).join(', ');
        throw new Error(`Not enough participants have ${videos} videos after ${timeoutMs} ms: ${counts}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  },

  counters: (): Counters => {
    const { user, system } = process.cpuUsage();
    const stats = clients.map((client) => client.stats());
    const received = stats.flatMap((each) => each.received);
    const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
    return {
      sent: sum(stats.flatMap((each) => each.sent.map(({ packets }) => packets))),
      received: sum(received.map(({ packets }) => packets)),
      lost: sum(received.map(({ lost }) => lost)),
      cpuUs: user + system,
    };
  },

  /** From the making of each synthetic frame to its arrival at the socket here, milliseconds. */
  measureLatency: async ({ ms }: { ms: number }): Promise<Float64Array> => {
    const samples: number[] = [];
    onFrame = (_client, _track, frame) => {
      const sinceArrivalMs = systemClock.now() - frame.receivedAtMs;
      samples.push(sharedClockMs() - sinceArrivalMs - stampOf(frame.data));
    };
    await new Promise((resolve) => setTimeout(resolve, ms));
    onFrame = undefined;
    return Float64Array.from(samples);
  },

  startRecording: (): void => {
    const recording: NonNullable<typeof arrivals> = new Map();
    arrivals = recording;
    disturbances.length = 0;
    onFrame = (client, track) => {
      let entry = recording.get(track);
      if (!entry) {
        entry = { receiver: client.self.id, times: [] };
        recording.set(track, entry);
      }
      entry.times.push(sharedClockMs());
    };
  },

  takeRecording: (): { arrivals: Arrivals[]; disturbances: Disturbance[] } => ({
    arrivals: [...(arrivals ?? [])].map(([track, { receiver, times }]) => ({
      receiver,
      sender: track.participantId,
      kind: track.kind,
      times: Float64Array.from(times),
    })),
    disturbances: [...disturbances],
  }),

  /** Joins, receives a frame of each kind, sends for a moment and leaves, so many times. */
  cycle: async (request: JoinRequest): Promise<void> => {
    let left = request.count;
    const turn = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        const client = await joinOne(request, left);
        await receivesBoth(client);
        await client.leave();
        clients.splice(clients.indexOf(client), 1);
      }
    };
    await Promise.all(Array.from({ length: Math.min(JOINS_AT_ONCE, left) }, turn));
  },

  leave: leaveAll,
};

function receivesBoth(client: MeetingClient): Promise<void> {
  return new Promise((resolve) => {
    const missing = new Set(['audio', 'video']);
    const listen = (track: RemoteTrack) =>
      track.once('frame', () => {
        missing.delete(track.kind);
        if (missing.size === 0) resolve();
      });
    for (const track of client.tracks) listen(track);
    client.on('track', listen);
  });
}

export type ParticipantRequests = typeof requests;

answer(requests, leaveAll);
