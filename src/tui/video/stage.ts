import { EventEmitter } from 'node:events';
import type { MeetingClient } from '../../client/meeting.ts';
import type { RemoteTrack } from '../../client/peer/remote-track.ts';
import type { CodedPicture } from '../../media/decode/coded-input.ts';
import { type Picture, VideoDecoder } from '../../media/decode/video-decoder.ts';
import type { VideoCodec } from '../../media/types.ts';
import { MeetError } from '../../protocol/errors.ts';
import type { VideoLayout } from '../chat/commands/types.ts';
import type { ShownTile } from './screen.ts';
import { choose, GALLERY_TILES } from './tiles.ts';

interface StageEvents {
  failed: [error: MeetError];
}

export interface StageOptions {
  readonly layout: VideoLayout;
  readonly labelOf: (participantId: string) => string;
  readonly ffmpegPath?: string;
}

/** The lowest layer is asked for and no more: that is as much as a terminal can show, and costs least to decode. */
const HEIGHT = 180;
const WIDTH = 320;
/** Pictures a second that are decoded to be drawn. */
export const STAGE_FPS = 15;

interface Shown {
  readonly track: RemoteTrack;
  readonly onFrame: (frame: CodedPicture) => void;
  decoder: VideoDecoder | undefined;
  picture: Picture | undefined;
  closed: boolean;
}

/** Receives and decodes what is to be seen of the meeting: the active speaker, or up to four. */
export class VideoStage extends EventEmitter<StageEvents> {
  readonly #client: MeetingClient;
  readonly #options: StageOptions;
  readonly #shown = new Map<string, Shown>();
  readonly #failed = new Set<string>();
  readonly #update = () => this.#choose();
  #layout: VideoLayout;
  #pinnedId: string | undefined;
  #pictures = 0;
  #closed = false;

  constructor(client: MeetingClient, options: StageOptions) {
    super();
    this.#client = client;
    this.#options = options;
    this.#layout = options.layout;
    for (const event of ['track', 'track-ended', 'speakers', 'videos', 'participant'] as const)
      client.on(event, this.#update);
    this.#request();
  }

  get layout(): VideoLayout {
    return this.#layout;
  }

  /** Pictures decoded so far. */
  get pictures(): number {
    return this.#pictures;
  }

  setLayout(layout: VideoLayout): void {
    this.#layout = layout;
    this.#request();
  }

  /** Keeps the picture of a participant in view. */
  setPin(participantId: string | undefined): void {
    this.#pinnedId = participantId;
    this.#request();
  }

  /** What is to be drawn now. */
  get tiles(): ShownTile[] {
    return [...this.#shown.values()].map(({ track, picture }) => ({
      trackId: track.id,
      label: `${this.#options.labelOf(track.participantId)}${track.source === 'screen' ? ' (screen)' : ''}`,
      picture,
    }));
  }

  /** Stops receiving and ends what decodes. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const event of ['track', 'track-ended', 'speakers', 'videos', 'participant'] as const)
      this.#client.off(event, this.#update);
    await Promise.all([...this.#shown.keys()].map((trackId) => this.#hide(trackId)));
  }

  /** Asks the server for what the layout shows. */
  #request(): void {
    const pin = this.#pinnedId === undefined ? {} : { pin: this.#pinnedId };
    this.#client.setView(
      this.#layout === 'off'
        ? { layout: 'none' }
        : {
            layout: this.#layout,
            pageSize: this.#layout === 'speaker' ? 1 : GALLERY_TILES,
            maxHeight: HEIGHT,
            ...pin,
          },
    );
    this.#choose();
  }

  /** Decodes what is chosen now, and nothing else. */
  #choose(): void {
    if (this.#closed) return;
    const tracks = new Map(
      this.#client.tracks.flatMap((track) =>
        track.kind === 'video' && !track.ended && !this.#failed.has(track.id)
          ? [[track.id, track] as const]
          : [],
      ),
    );
    const chosen =
      this.#layout === 'off'
        ? []
        : choose(
            [...tracks.values()].map(({ id, participantId, source }) => ({
              trackId: id,
              participantId,
              source,
              sent: (this.#client.videos.get(id)?.layer ?? 0) >= 0,
            })),
            { layout: this.#layout, pinnedId: this.#pinnedId, speakers: this.#client.speakers },
          );
    const wanted = new Set(chosen.map(({ trackId }) => trackId));
    for (const trackId of this.#shown.keys()) if (!wanted.has(trackId)) void this.#hide(trackId);
    for (const trackId of wanted) if (!this.#shown.has(trackId)) this.#show(tracks.get(trackId)!);
  }

  #show(track: RemoteTrack): void {
    const shown: Shown = {
      track,
      onFrame: (frame) => shown.decoder?.write(frame),
      decoder: undefined,
      picture: undefined,
      closed: false,
    };
    this.#shown.set(track.id, shown);
    track.on('frame', shown.onFrame);
    void this.#decode(shown, track.codec as VideoCodec);
  }

  async #decode(shown: Shown, codec: VideoCodec): Promise<void> {
    const { ffmpegPath } = this.#options;
    try {
      const decoder = await VideoDecoder.start({
        codec,
        width: WIDTH,
        height: HEIGHT,
        maxFps: STAGE_FPS,
        ...(ffmpegPath === undefined ? {} : { ffmpegPath }),
      });
      if (shown.closed) {
        await decoder.close();
        return;
      }
      shown.decoder = decoder;
      decoder.on('picture', (picture) => {
        shown.picture = picture;
        this.#pictures += 1;
      });
      decoder.on('starved', () => shown.track.requestKeyFrame());
      decoder.on('failed', (error) => this.#fail(shown, error));
      shown.track.requestKeyFrame();
    } catch (error) {
      this.#fail(shown, MeetError.from(error));
    }
  }

  /** One that cannot be decoded is left out from now on. */
  #fail({ track }: Shown, error: MeetError): void {
    if (this.#closed) return;
    this.#failed.add(track.id);
    this.emit('failed', error);
    this.#choose();
  }

  async #hide(trackId: string): Promise<void> {
    const shown = this.#shown.get(trackId);
    if (shown === undefined) return;
    this.#shown.delete(trackId);
    shown.closed = true;
    shown.track.off('frame', shown.onFrame);
    await shown.decoder?.close();
  }
}
