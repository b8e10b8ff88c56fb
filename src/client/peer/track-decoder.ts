import { EventEmitter } from 'node:events';
import { type DecodedAudio, OpusTrackDecoder } from '../../media/opus/index.ts';
import { MeetError } from '../../protocol/errors.ts';
import type { ReceivedFrame } from '../types.ts';
import type { RemoteTrack } from './remote-track.ts';

interface TrackDecoderEvents {
  /** Sound without gaps, as it becomes known; `frame` is the packet that brought it. */
  pcm: [audio: DecodedAudio, frame: ReceivedFrame];
}

/** Decodes an audio track from now on; the track's statistics then say what was concealed. */
export class TrackDecoder extends EventEmitter<TrackDecoderEvents> {
  readonly #track: RemoteTrack;
  readonly #decoder: OpusTrackDecoder;
  readonly #onFrame: (frame: ReceivedFrame) => void;

  private constructor(track: RemoteTrack, decoder: OpusTrackDecoder) {
    super();
    this.#track = track;
    this.#decoder = decoder;
    this.#onFrame = (frame) => {
      for (const audio of decoder.decode(frame)) this.emit('pcm', audio, frame);
    };
    track.on('frame', this.#onFrame);
    track.once('ended', () => this.close());
    track.concealment = () => decoder.stats();
  }

  /** @throws MeetError `media-unusable` for a track that is not Opus */
  static async open(track: RemoteTrack, channels: 1 | 2 = 2): Promise<TrackDecoder> {
    if (track.codec !== 'opus')
      throw new MeetError('media-unusable', `A track of ${track.codec} cannot be decoded as sound.`);
    return new TrackDecoder(track, await OpusTrackDecoder.create(channels));
  }

  close(): void {
    this.#track.off('frame', this.#onFrame);
    this.#decoder.close();
    this.removeAllListeners();
  }
}
