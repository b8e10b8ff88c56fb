import { EventEmitter } from 'node:events';
import type { ConcealmentStats } from '../../media/opus/index.ts';
import type { Codec } from '../../media/types.ts';
import type { MediaKind, MediaSource } from '../../protocol/model.ts';
import type { AudioSlot, SubscribedTrack } from '../../protocol/signaling.ts';
import type { RtpReceiver } from '../rtp/receiver.ts';
import type { ReceivedTrackStats, RemoteTrackEvents } from '../types.ts';

/**
 * A track of another participant, as it is received: whole encoded frames in decoding order. An audio slot of a large
 * meeting is one track all the time; who is heard in it changes, the frames flow on.
 */
export class RemoteTrack extends EventEmitter<RemoteTrackEvents> {
  readonly id: string;
  /** The audio slot that the track is, from 0. */
  readonly slot: number | undefined;
  readonly kind: MediaKind;
  readonly source: MediaSource;
  readonly codec: Codec;
  /** Set by whoever decodes the track, for its statistics. */
  concealment: (() => ConcealmentStats) | undefined;
  #receiver: RtpReceiver | undefined;
  #ended = false;
  #participantId: string;
  #occupantTrackId: string | undefined;

  constructor(track: SubscribedTrack, codec: Codec) {
    super();
    this.id = track.trackId;
    this.#participantId = track.participantId;
    this.slot = track.slot;
    this.kind = track.kind;
    this.source = track.source;
    this.codec = codec;
  }

  /** Whose track it is; of an audio slot who is heard in it, empty while nobody is. */
  get participantId(): string {
    return this.#participantId;
  }

  /** The track whose frames come: this one, or what an audio slot carries now. */
  get sourceTrackId(): string | undefined {
    return this.slot === undefined ? this.id : this.#occupantTrackId;
  }

  /** The connection calls it when another is heard in the slot. */
  setOccupant(occupant: AudioSlot | undefined): void {
    if (this.slot === undefined || occupant === undefined || this.#ended) return;
    const participantId = occupant.participantId ?? '';
    const trackId = occupant.trackId ?? undefined;
    if (participantId === this.#participantId && trackId === this.#occupantTrackId) return;
    this.#participantId = participantId;
    this.#occupantTrackId = trackId;
    this.emit('occupant', participantId === '' ? null : participantId);
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
      ...this.#concealed(),
      ...(this.slot === undefined ? {} : { slot: this.slot }),
    };
  }

  #concealed(): { concealedMs?: number; recoveredMs?: number } {
    if (this.concealment === undefined) return {};
    const { concealedMs, recoveredMs } = this.concealment();
    return { concealedMs, recoveredMs };
  }

  /** The connection calls it when the server no longer sends the track. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.emit('ended');
  }
}
