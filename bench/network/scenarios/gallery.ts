/** One of thirty watches a page of 25: what comes to it, and how soon after a change of the page. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Figure, spread } from '../../harness/figure.ts';
import { sharedClockMs } from '../../programs/synthetic-source.ts';
import { preparedClip } from '../media/clip.ts';
import { BenchMeeting, type Participants } from '../meeting.ts';
import { untilReceiving } from '../reach.ts';
import type { RecordedTrack, Recording } from '../recording.ts';
import type { Scenario } from '../scenario.ts';

const PARTICIPANTS = 30;
const PAGE_SIZE = 25;
const JOIN_TIMEOUT_MS = 60_000;
/** After the last join: senders are told ten seconds later that nobody watches a layer. */
const SETTLE_MS = 15_000;
const MEASURE_MS = 10_000;
const QUICK_MEASURE_MS = 5_000;
const PAGE_CHANGES = 10;
const QUICK_PAGE_CHANGES = 4;
const PAGE_MS = 3_000;

/** Targets. */
const FIRST_PICTURE_MS = 500;
/** Retransmissions, and packets on their way at the edges of the interval. */
const MOST_PACKETS = 105;

export const gallery: Scenario = {
  name: 'gallery',
  title: `${PARTICIPANTS} participants with video, one watching a page of ${PAGE_SIZE} tiles`,
  run: ({ quick, say, keep }) =>
    BenchMeeting.run(async (meeting) => {
      const clip = await preparedClip();
      const senders = meeting.on(await meeting.hosts.addWired());
      const link = await meeting.hosts.addWired();
      const watcher = meeting.on(link);
      say('joining');
      const count = PARTICIPANTS - 1;
      await senders.join({ name: 'Sender', count, source: { clip }, receive: 'none' });
      const view = { layout: 'gallery', pageSize: PAGE_SIZE } as const;
      const id = await watcher.watch({ name: 'Watcher', source: { clip }, view });
      await untilReceiving(PAGE_SIZE, JOIN_TIMEOUT_MS, [watcher, id]);
      await delay(SETTLE_MS);
      say('counting packets');
      const before = await traffic(senders, watcher, id, link);
      await delay(quick ? QUICK_MEASURE_MS : MEASURE_MS);
      const after = await traffic(senders, watcher, id, link);
      const changes: number[] = [];
      for (let change = 0; change < (quick ? QUICK_PAGE_CHANGES : PAGE_CHANGES); change += 1) {
        say(`change of page ${change + 1}`);
        const page = 1 - (change % 2);
        changes.push(await watcher.program.ask('setView', { id, view: { ...view, page } }));
        await delay(PAGE_MS);
      }
      const recording = await watcher.recording(id);
      await keep('gallery', recording);
      return [...trafficFigures(before, after), ...pageFigures(recording, changes)];
    }),
};

interface Traffic {
  readonly at: number;
  /** Packets of the lowest video layer, and of all video, that each participant has sent. */
  readonly sent: ReadonlyMap<string, { readonly lowest: number; readonly all: number }>;
  /** Video packets of each participant that came to the watcher. */
  readonly received: ReadonlyMap<string, number>;
  readonly audio: number;
  readonly wire: { readonly packets: number; readonly bytes: number };
}

async function traffic(
  senders: Participants,
  watcher: Participants,
  id: string,
  link: { received(): Promise<Traffic['wire']> },
): Promise<Traffic> {
  const [all, own, wire] = await Promise.all([
    senders.program.ask('allStats'),
    watcher.program.ask('stats', { id }),
    link.received(),
  ]);
  const sent = new Map(
    all.map(({ id: sender, stats }) => {
      const video = stats.sent.filter(({ kind }) => kind === 'video');
      const packets = (tracks: typeof video) => tracks.reduce((sum, track) => sum + track.packets, 0);
      return [sender, { lowest: packets(video.filter(({ layer }) => layer === 0)), all: packets(video) }];
    }),
  );
  const received = new Map<string, number>();
  let audio = 0;
  for (const { participantId, kind, packets, retransmitted } of own.received) {
    if (kind === 'audio') audio += packets;
    else received.set(participantId, packets + retransmitted);
  }
  return { at: sharedClockMs(), sent, received, audio, wire };
}

function trafficFigures(before: Traffic, after: Traffic): Figure[] {
  const seconds = (after.at - before.at) / 1000;
  let needed = 0;
  let media = 0;
  let tiles = 0;
  let unseen = 0;
  for (const [id, { lowest, all }] of after.sent) {
    const received = (after.received.get(id) ?? 0) - (before.received.get(id) ?? 0);
    const sent = before.sent.get(id)!;
    if (received === 0) {
      unseen += all - sent.all;
      continue;
    }
    tiles += 1;
    needed += lowest - sent.lowest;
    media += received;
  }
  const audio = after.audio - before.audio;
  const wire = after.wire.packets - before.wire.packets;
  const bits = (after.wire.bytes - before.wire.bytes) * 8;
  return [
    { name: 'visible tiles without video', value: PAGE_SIZE - tiles, unit: '', target: 0 },
    { name: 'video packets received', value: media / seconds, unit: '1/s' },
    {
      name: 'of what the visible tiles need',
      value: (100 * media) / needed,
      unit: '%',
      target: MOST_PACKETS,
    },
    { name: 'video packets sent by those not visible', value: unseen / seconds, unit: '1/s', target: 0 },
    { name: 'audio packets received', value: audio / seconds, unit: '1/s' },
    { name: 'all packets on the link', value: wire / seconds, unit: '1/s' },
    { name: 'bandwidth of all packets on the link', value: bits / seconds / 1000, unit: 'kbit/s' },
  ];
}

function pageFigures({ tracks }: Recording, changes: readonly number[]): Figure[] {
  const video = tracks.filter(({ kind }) => kind === 'video');
  const firsts = changes.map((at, index) => firstPictures(video, at, changes[index + 1] ?? at + PAGE_MS));
  const few = firsts.filter(({ length }) => length < PAGE_SIZE / 2).flat();
  const many = firsts.filter(({ length }) => length >= PAGE_SIZE / 2).flat();
  const missing = firsts.flat().filter((ms) => ms === undefined).length;
  const of = (name: string, times: readonly (number | undefined)[]) => {
    const known = times.filter((ms) => ms !== undefined);
    return known.length === 0 ? [] : spread(name, 'ms', known, 'max', { high: FIRST_PICTURE_MS });
  };
  return [
    ...of('change to a page of 4: first picture of a new tile', few),
    ...of(`change to a page of ${PAGE_SIZE}: first picture of a new tile`, many),
    { name: 'tiles whose first picture never came', value: missing, unit: '', target: 0 },
  ];
}

/** How long before a change pictures must have come for the tile to be one that was visible. */
const VISIBLE_MS = 1_000;

/**
 * Milliseconds from a change of the page to the first picture of each tile that was not visible before and is visible
 * at the end of the page's time.
 */
function firstPictures(tracks: readonly RecordedTrack[], at: number, until: number): (number | undefined)[] {
  const participants = new Set(tracks.map(({ participantId }) => participantId));
  const shows = (id: string, from: number, to: number) =>
    tracks.some(
      (track) =>
        track.participantId === id && track.frames.some((frame) => frame.at >= from && frame.at < to),
    );
  return [...participants].flatMap((id) => {
    if (shows(id, at - VISIBLE_MS, at) || !shows(id, until - VISIBLE_MS, until)) return [];
    const times = tracks.flatMap((track) =>
      track.participantId === id ? (track.frames.find((frame) => frame.at >= at)?.at ?? []) : [],
    );
    return [times.length === 0 ? undefined : Math.min(...times) - at];
  });
}
