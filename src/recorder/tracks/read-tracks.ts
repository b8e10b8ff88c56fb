/** Reading a recording's tracks back: for another picture, for transcripts and sound. */
import { join } from 'node:path';
import { opusDurationUs } from '../../media/rtp/opus-packet.ts';
import { type ReadFrame, TrackFileReader } from '../../media/save/index.ts';
import type { Codec } from '../../media/types.ts';
import { MeetError } from '../../protocol/errors.ts';
import type { MediaKind, MediaSource } from '../../protocol/model.ts';
import { FILES } from '../folder/index.ts';
import { readEvents } from './event-log.ts';
import { type Anchor, FileTimeline } from './file-timeline.ts';

/** Opus packets that say "nothing to hear" (DTX), bytes. */
const DTX_BYTES = 2;
/** Longer holes are pauses of the sender: nobody loses so much and talks on. */
const MAX_LOSS_MS = 200;
/** RTP clock rates, as the payload formats have them. */
const CLOCK_KHZ = { audio: 48, video: 90 } as const;

export interface StoredFrame extends ReadFrame {
  /** When it was captured, milliseconds since the epoch on the recorder's clock. */
  readonly capturedAt: number;
  /** Time in the file in units of the track's RTP clock, 32 bit: differences are those of the frames as received. */
  readonly rtpTimestamp: number;
  /** Sound: packets were lost just before it; without that a hole is a pause of the sender. */
  readonly gapBefore: boolean;
}

/** A part of a track without interruption: a file of the folder. A track that was interrupted has several. */
export interface StoredTrack {
  readonly trackId: string;
  readonly participantId: string;
  /** Name of the participant when the track began. */
  readonly participantName: string;
  readonly kind: MediaKind;
  readonly source: MediaSource;
  readonly codec: Codec;
  readonly path: string;
  /** When its first frame was captured, on the recorder's clock. */
  readonly startedAt: number;
  /** Wall time of a time in the file, both in milliseconds. */
  capturedAt(fileMs: number): number;
  /**
   * Its frames in decoding order, read as they are asked for. A file that was cut by a crash ends where it was cut; one
   * that is gone or never had a frame gives none.
   *
   * @throws MeetError `media-unusable` for a file that is none of ours
   */
  frames(): AsyncGenerator<StoredFrame>;
}

/** The tracks of a recording's folder in the order in which they began. */
export async function openTracks(folder: string): Promise<StoredTrack[]> {
  const names = new Map<string, string>();
  const found: {
    track: Omit<StoredTrack, 'frames' | 'startedAt' | 'capturedAt'>;
    at: number;
    anchors: Anchor[];
  }[] = [];
  /** By track id, the file that its anchors belong to. */
  const open = new Map<string, Anchor[]>();
  for await (const event of readEvents(join(folder, FILES.events))) {
    if (event.type === 'participant') names.set(event.id, event.name);
    if (event.type === 'anchor') open.get(event.trackId)?.push(event);
    if (event.type !== 'track') continue;
    const { trackId, participantId, source, at } = event;
    const anchors: Anchor[] = [];
    open.set(trackId, anchors);
    const track = {
      trackId,
      participantId,
      participantName: names.get(participantId) ?? participantId,
      kind: source === 'camera' || source === 'screen' ? ('video' as const) : ('audio' as const),
      source,
      codec: event.codec as Codec,
      // A name and no path: what a log says must not lead out of the folder.
      path: join(folder, FILES.tracks, event.file.replaceAll(/[/\\]/g, '_')),
    };
    found.push({ track, at, anchors });
  }
  return found.map(({ track, at, anchors }) => {
    const timeline = new FileTimeline(anchors, at);
    return {
      ...track,
      startedAt: timeline.capturedAt(0),
      capturedAt: (fileMs) => timeline.capturedAt(fileMs),
      frames: () => framesOf(track, timeline),
    };
  });
}

async function* framesOf(
  { path, kind }: Pick<StoredTrack, 'path' | 'kind'>,
  timeline: FileTimeline,
): AsyncGenerator<StoredFrame> {
  const reader = await openReader(path);
  if (reader === undefined) return;
  let last: ReadFrame | undefined;
  try {
    for await (const frame of reader.frames()) {
      yield {
        ...frame,
        capturedAt: timeline.capturedAt(frame.timeMs),
        rtpTimestamp: (frame.timeMs * CLOCK_KHZ[kind]) >>> 0,
        gapBefore: kind === 'audio' && last !== undefined && isLoss(last, frame),
      };
      last = frame;
    }
  } finally {
    await reader.close();
  }
}

/** A file without a whole header never had a frame that was worth more. */
async function openReader(path: string): Promise<TrackFileReader | undefined> {
  try {
    return await TrackFileReader.open(path);
  } catch (error) {
    if (error instanceof MeetError && error.code === 'media-not-found') return undefined;
    throw error;
  }
}

/** The files do not say whether a hole in the sound was lost or never sent; its length and its edges do. */
function isLoss(before: ReadFrame, after: ReadFrame): boolean {
  const end = before.timeMs + (opusDurationUs(before.data) ?? 20_000) / 1000;
  const hole = after.timeMs - end;
  return hole > 1 && hole <= MAX_LOSS_MS && before.data.length > DTX_BYTES && after.data.length > DTX_BYTES;
}
