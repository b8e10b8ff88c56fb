/** What a peer sees of the room it is in: a router to connect to, and the others' tracks. */
import type { Producer, RtpCapabilities, WebRtcTransport } from 'mediasoup/types';
import type { MediaKind, MediaSource, TrackInfo } from '../../protocol/model.ts';
import type { PublishedTrack } from '../../protocol/signaling.ts';
import { codecName } from './codecs.ts';
import type { RoomQuality } from './quality/room-quality.ts';
import { rtpParametersOf } from './rtp-parameters.ts';
import type { SfuLogger } from './types.ts';

/** Who is heard in an audio slot. */
export interface SlotOccupant {
  readonly peerId: string;
  readonly trackId: string;
}

/** A published track, or an audio slot, which belongs to nobody: its `peerId` is empty. */
export interface Track {
  readonly id: string;
  readonly peerId: string;
  readonly kind: MediaKind;
  source: MediaSource;
  readonly producer: Producer;
  /** Its simulcast or spatial layers as the sender described them, lowest first. */
  readonly layers?: NonNullable<PublishedTrack['layers']>;
  readonly slot?: { readonly index: number; readonly occupant: SlotOccupant | undefined };
}

/** A peer's way into the room, valid until the worker behind it dies. */
export interface Route {
  readonly capabilities: RtpCapabilities;
  readonly alive: boolean;
  createTransport(): Promise<WebRtcTransport>;
  /** Id under which the track can be consumed by a transport of this route. */
  producerOf(track: Track): Promise<string>;
}

/** The room, as its peers see it. */
export interface PeerHost {
  readonly logger: SfuLogger;
  readonly quality: RoomQuality;
  /** @throws MeetError `worker-died` when there is no worker for too long. */
  route(): Promise<Route>;
  /** With `allAudio` the others' own audio also where a large meeting has audio slots in its place. */
  tracksOfOthers(peerId: string, allAudio: boolean): Track[];
  /** The peer published or ended tracks. */
  tracksChanged(peerId: string): void;
  /** The first media connection of a peer is up, so long after the peer was made. */
  mediaConnected(ms: number): void;
  peerClosed(peerId: string): void;
}

export function trackInfo({ id, kind, source, producer, layers }: Track): TrackInfo {
  return {
    id,
    kind,
    source,
    codec: codecName(rtpParametersOf(producer).codecs[0]!),
    muted: producer.paused,
    layers: Math.max(1, rtpParametersOf(producer).encodings?.length ?? 1, layers?.length ?? 1),
  };
}

/**
 * Closes what was asked of a transport or a track that ended before the answer came: mediasoup tells its end only to
 * those that were there then, and would keep this one for as long as the worker lives.
 *
 * @returns the error to reject with
 */
export function endedMeanwhile(stream: { close(): void }): Error {
  stream.close();
  return new Error('The transport or the track ended meanwhile');
}
