/** Participants on a host of the benchmark: they send what they are told to and record what they receive. */
import {
  createMeeting,
  joinMeeting,
  type MeetingClient,
  type MeetingStats,
} from '../../../src/client/index.ts';
import { SubscribeConnection } from '../../../src/client/peer/subscribe-connection.ts';
import type { JoinOptions } from '../../../src/client/types.ts';
import type { View } from '../../../src/client/view.ts';
import { openFile } from '../../../src/media/file/open.ts';
import type { EncodedSource } from '../../../src/media/types.ts';
import { answer } from '../../harness/program.ts';
import { sharedClockMs } from '../../programs/synthetic-source.ts';
import { NETWORK_CACHE_DIR } from '../media/clip.ts';
import { type EncoderLog, LiveSource } from '../media/live-source.ts';
import { SpeechSource } from '../media/speech-source.ts';
import { Recorder, type Recording } from '../recording.ts';

export interface JoinRequest {
  readonly meeting: string;
  readonly name: string;
  readonly count?: number;
  /** `live` is a camera whose pictures show their time, `speech` a microphone; else the path of a clip, looped. */
  readonly source?: 'live' | 'speech' | { readonly clip: string };
  readonly receive: NonNullable<JoinOptions['receive']>;
  readonly view?: View;
  readonly record?: boolean;
  /** Decodes the first video and reads its counter. */
  readonly decode?: boolean;
}

interface Participant {
  readonly client: MeetingClient;
  readonly source: EncodedSource | undefined;
  readonly recorder: Recorder | undefined;
}

/** More at once would measure the queue of handshakes. */
const JOINS_AT_ONCE = 4;

const participants = new Map<string, Participant>();
/** Subscribe offers answered by the participants here, by time. */
const offers: number[] = [];

const answerOffer = SubscribeConnection.prototype.answer;
SubscribeConnection.prototype.answer = function (...args) {
  offers.push(sharedClockMs());
  return answerOffer.apply(this, args);
};

async function open(source: JoinRequest['source']): Promise<EncodedSource | undefined> {
  if (source === undefined) return undefined;
  if (source === 'live') return LiveSource.open();
  if (source === 'speech') return new SpeechSource();
  return openFile({ video: source.clip, loop: true, cacheDir: NETWORK_CACHE_DIR });
}

async function joinOne(request: JoinRequest, name: string): Promise<string> {
  const source = await open(request.source);
  const client = await joinMeeting({
    meeting: request.meeting,
    displayName: name,
    receive: request.receive,
    ...(source === undefined ? {} : { source }),
    ...(request.view === undefined ? {} : { view: request.view }),
  });
  const recorder =
    request.record === true ? await Recorder.start(client, request.decode === true) : undefined;
  participants.set(client.self.id, { client, source, recorder });
  await client.whenConnected();
  return client.self.id;
}

function find(id: string): Participant {
  const participant = participants.get(id);
  if (participant === undefined) throw new Error(`No participant ${id} is on this host`);
  return participant;
}

async function leave(id: string): Promise<void> {
  const { client, recorder } = find(id);
  participants.delete(id);
  await client.leave();
  await recorder?.close();
}

const requests = {
  /** URL of a new meeting. */
  createMeeting: async ({ server }: { server: string }): Promise<string> =>
    (await createMeeting(server, { title: 'Benchmark' })).meeting.url,

  /** Joins them and gives their ids once their media is connected. */
  join: async (request: JoinRequest): Promise<string[]> => {
    const { count = 1, name } = request;
    const ids: string[] = [];
    let begun = 0;
    const turn = async () => {
      while (begun < count) {
        begun += 1;
        ids.push(await joinOne(request, count === 1 ? name : `${name} ${begun}`));
      }
    };
    await Promise.all(Array.from({ length: JOINS_AT_ONCE }, turn));
    return ids;
  },

  recording: ({ id }: { id: string }): Recording | undefined => find(id).recorder?.recording,

  stats: ({ id }: { id: string }): MeetingStats => find(id).client.stats(),

  /** Of everybody here. */
  allStats: (): { id: string; stats: MeetingStats }[] =>
    [...participants].map(([id, { client }]) => ({ id, stats: client.stats() })),

  /** What a live source has encoded so far. */
  encoded: ({ id }: { id: string }): EncoderLog => {
    const { source } = find(id);
    if (!(source instanceof LiveSource)) throw new Error(`Participant ${id} has no camera`);
    return source.encoderLog;
  },

  /** Gives the time of the request. */
  setView: ({ id, view }: { id: string; view: View }): number => {
    const at = sharedClockMs();
    find(id).client.setView(view);
    return at;
  },

  /** These speak, everybody else here is silent. */
  speak: ({ ids }: { ids: readonly string[] }): number => {
    for (const [id, { source }] of participants)
      if (source instanceof SpeechSource) source.speaking = ids.includes(id);
    return sharedClockMs();
  },

  /** When the participants here answered subscribe offers. */
  offers: (): number[] => offers,

  leave: ({ id }: { id: string }): Promise<void> => leave(id),
};

export type ParticipantRequests = typeof requests;

answer(requests, async () => {
  await Promise.all([...participants.keys()].map(leave));
});
