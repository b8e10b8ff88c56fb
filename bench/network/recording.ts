/** What a participant of a benchmark receives, written down as it comes. All times on the shared clock, milliseconds. */
import type { MeetingClient, ReceivedTrackStats, RemoteTrack } from '../../src/client/index.ts';
import { TrackDecoder } from '../../src/client/peer/track-decoder.ts';
import { systemClock } from '../../src/client/rtp/clock.ts';
import type { LayerReason } from '../../src/protocol/signaling.ts';
import { sharedClockMs } from '../programs/synthetic-source.ts';
import { PictureReader, type ReadPicture } from './media/picture-reader.ts';

/** A whole frame as the jitter buffer gave it out. */
export interface RecordedFrame {
  readonly at: number;
  /** When its last packet came. */
  readonly arrivedAt: number;
  /** RTP time, and the sender's wall clock where it is known. */
  readonly mediaMs: number;
  readonly captureMs: number | undefined;
  readonly bytes: number;
  /** Of the picture; that of the last keyframe. 0 for audio. */
  readonly height: number;
  readonly keyframe: boolean;
  readonly gapBefore: boolean;
  /** `index` of its picture among those decoded, where it was. */
  readonly decodedAs: number | undefined;
}

export interface RecordedTrack {
  readonly trackId: string;
  readonly participantId: string;
  readonly kind: 'audio' | 'video';
  readonly slot: number | undefined;
  readonly beganAt: number;
  readonly frames: RecordedFrame[];
}

/** What the server said of a video. */
export interface Announcement {
  readonly at: number;
  readonly trackId: string;
  readonly layer: number;
  readonly temporalLayer: number;
  readonly reason: LayerReason;
}

export interface Sample {
  readonly at: number;
  readonly estimate: number | undefined;
  readonly uplinkEstimate: number | undefined;
  readonly rttMs: number | undefined;
  readonly tracks: readonly ReceivedTrackStats[];
  /** Video layers that the participant sends. */
  readonly sending: readonly number[];
}

export interface Recording {
  readonly tracks: readonly RecordedTrack[];
  readonly announcements: readonly Announcement[];
  readonly audioOnly: readonly { readonly at: number; readonly audioOnly: boolean }[];
  readonly speakers: readonly { readonly at: number; readonly ids: readonly string[] }[];
  readonly slots: readonly {
    readonly at: number;
    readonly slot: number;
    readonly participantId: string | null;
  }[];
  readonly interruptions: readonly { readonly at: number; readonly event: string }[];
  readonly samples: readonly Sample[];
  /** Of the first video track, where it was to be decoded. */
  readonly pictures: readonly ReadPicture[];
}

const SAMPLE_MS = 200;

export class Recorder {
  readonly #client: MeetingClient;
  readonly #tracks: RecordedTrack[] = [];
  readonly #announcements: Announcement[] = [];
  readonly #audioOnly: { at: number; audioOnly: boolean }[] = [];
  readonly #speakers: { at: number; ids: readonly string[] }[] = [];
  readonly #slots: { at: number; slot: number; participantId: string | null }[] = [];
  readonly #interruptions: { at: number; event: string }[] = [];
  readonly #samples: Sample[] = [];
  readonly #pictures: ReadPicture[] = [];
  readonly #timer: NodeJS.Timeout;
  readonly #reader: PictureReader | undefined;
  #decoded: string | undefined;
  #decodedFrames = 0;

  private constructor(client: MeetingClient, reader: PictureReader | undefined, pictures: ReadPicture[]) {
    this.#client = client;
    this.#reader = reader;
    this.#pictures = pictures;
    for (const track of client.tracks) this.#watch(track);
    client.on('track', (track) => this.#watch(track));
    client.on('videos', (videos) => {
      for (const video of videos) this.#announcements.push({ at: sharedClockMs(), ...video });
    });
    client.on('audio-only', (audioOnly) => this.#audioOnly.push({ at: sharedClockMs(), audioOnly }));
    client.on('speakers', (ids) => this.#speakers.push({ at: sharedClockMs(), ids }));
    client.on('audio-slots', (slots) => {
      for (const { slot, participantId } of slots)
        this.#slots.push({ at: sharedClockMs(), slot, participantId });
    });
    client.on('reconnecting', ({ reason }) => this.#interrupted(`reconnecting: ${reason}`));
    client.on('left', ({ reason }) => this.#interrupted(`left: ${reason}`));
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS);
  }

  /** @param decode decodes the first video track and reads the counter of each picture */
  static async start(client: MeetingClient, decode: boolean): Promise<Recorder> {
    const pictures: ReadPicture[] = [];
    const reader = decode ? await PictureReader.start((picture) => pictures.push(picture)) : undefined;
    return new Recorder(client, reader, pictures);
  }

  get recording(): Recording {
    return {
      tracks: this.#tracks,
      announcements: this.#announcements,
      audioOnly: this.#audioOnly,
      speakers: this.#speakers,
      slots: this.#slots,
      interruptions: this.#interruptions,
      samples: this.#samples,
      pictures: this.#pictures,
    };
  }

  #interrupted(event: string): void {
    this.#interruptions.push({ at: sharedClockMs(), event });
  }

  #watch(track: RemoteTrack): void {
    const { id: trackId, participantId, kind, slot } = track;
    const frames: RecordedFrame[] = [];
    this.#tracks.push({ trackId, participantId, kind, slot, beganAt: sharedClockMs(), frames });
    if (kind === 'video') this.#decoded ??= trackId;
    let height = 0;
    track.on('frame', (frame) => {
      const at = sharedClockMs();
      const arrivedAt = at - (systemClock.now() - frame.receivedAtMs);
      height = frame.height ?? height;
      const decodes = trackId === this.#decoded && this.#reader?.write(frame.data, frame) === true;
      frames.push({
        at,
        arrivedAt,
        mediaMs: frame.mediaTimeMs,
        captureMs: frame.captureTimeMs,
        bytes: frame.data.length,
        height,
        keyframe: frame.keyframe,
        gapBefore: frame.gapBefore,
        decodedAs: decodes ? this.#decodedFrames++ : undefined,
      });
    });
    // The track's statistics then say what was concealed.
    if (kind === 'audio' && this.#reader) void TrackDecoder.open(track, 1);
  }

  #sample(): void {
    const { estimate, uplinkEstimate, rttMs, received, sent } = this.#client.stats();
    const sending = sent.flatMap(({ kind, active, layer }) => (kind === 'video' && active ? [layer] : []));
    this.#samples.push({ at: sharedClockMs(), estimate, uplinkEstimate, rttMs, tracks: received, sending });
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#reader?.close();
  }
}
