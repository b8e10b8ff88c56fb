import { EventEmitter } from 'node:events';
import type { Codec } from '../../media/types.ts';
import type { MediaKind, MediaSource } from '../../protocol/model.ts';
import type { SubscribedTrack } from '../../protocol/signaling.ts';
import type { RtpReceiver } from '../rtp/receiver.ts';
import type { ReceivedTrackStats, RemoteTrackEvents } from '../types.ts';

/** A track of another participant, as it is received: whole encoded frames in decoding order. */
export class RemoteTrack extends EventEmitter<RemoteTrackEvents> {
  readonly id: string;
  readonly participantId: string;
  readonly kind: MediaKind;
  readonly source: MediaSource;
  readonly codec: Codec;
  #receiver: RtpReceiver | undefined;
  #ended = false;

  constructor(track: SubscribedTrack, codec: Codec) {
    super();
    this.id = track.trackId;
    this.participantId = track.participantId;
    this.kind = track.kind;
    this.source = track.source;
    this.codec = codec;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Takes the frames of a receiver from now on; a connection made anew brings another one. */
  attach(receiver: RtpReceiver): void {
    this.#receiver = receiver;
    receiver.on('frame', (frame) => {
      if (this.#receiver === receiver && !this.#ended) this.emit('frame', frame);
    });
  }

  /** Asks the sender for a keyframe (PLI, RFC 4585 section 6.3.1). */
  requestKeyFrame(): void {
    this.#receiver?.requestKeyFrame();
  }

  /** `undefined` before the connection is up. */
  stats(): ReceivedTrackStats | undefined {
    if (this.#receiver === undefined) return undefined;
    return {
      ...this.#receiver.stats(),
      trackId: this.id,
      participantId: this.participantId,
      kind: this.kind,
      source: this.source,
      codec: this.codec,
    };
  }

  /** The connection calls it when the server no longer sends the track. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.emit('ended');
  }
}
