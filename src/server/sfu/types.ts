/** What the SFU takes and gives. Nothing of mediasoup's types leaves `src/server/sfu`. */
import type { EventEmitter } from 'node:events';
import type { Logger } from 'pino';
import type { MeetError } from '../../protocol/errors.ts';
import type { MediaSource, TrackInfo } from '../../protocol/model.ts';
import type { AudioSlot, PublishedTrack, SubscribedTrack, VideoRequest } from '../../protocol/signaling.ts';
import type { PersonalUpdate } from './quality/room-quality.ts';

export type SfuLogger = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

/** A local address to take media on. */
export interface ListenAddress {
  /** IPv4 or IPv6 address of an interface, or `0.0.0.0` / `::`. */
  readonly ip: string;
  /** What goes into the ICE candidates instead of `ip` (NAT, wildcard addresses). */
  readonly announcedAddress?: string;
}

export interface SfuOptions {
  /** Path of the mediasoup worker binary; default is where mediasoup looks by itself. */
  readonly workerBin?: string;
  /** Default: one a core. */
  readonly numWorkers?: number;
  readonly listen: readonly ListenAddress[];
  /** UDP port of the first worker, the next worker has the next one; 0 or absent: any free port. */
  readonly udpPort?: number;
  /** TCP port of the first worker, the next worker has the next one; 0 or absent: any free port. */
  readonly tcpPort?: number;
  readonly logger: SfuLogger;
}

export interface SfuEvents {
  'worker-died': [info: { pid: number; error: Error }];
  'worker-started': [info: { pid: number }];
  /** So many videos are sent to their receivers in another layer now, or no more. */
  'layers-switched': [count: number];
  /** A participant's first media connection is up, so many milliseconds after they came. */
  'media-connected': [ms: number];
}

export interface WorkerInfo {
  readonly pid: number;
  /** Number of rooms that it carries. */
  readonly rooms: number;
  readonly udpPort: number;
  readonly tcpPort: number;
}

export interface WorkerUsage {
  readonly pid: number;
  /** CPU time since its start, milliseconds. */
  readonly userMs: number;
  readonly systemMs: number;
  /** Largest resident set so far, KiB. */
  readonly maxRssKiB: number;
}

export interface RoomEvents {
  /** All peers' connections are gone; the Peer objects stay and publish or subscribe anew. */
  reset: [info: { reason: string }];
  /** Who speaks now: peer ids, the active speaker first, at most four. */
  speakers: [peerIds: readonly string[]];
  /** The audio slots that have another occupant now. */
  audioSlots: [slots: readonly AudioSlot[]];
  /** As the SFU's events of these names. */
  'layers-switched': [count: number];
  'media-connected': [ms: number];
}

export interface PublishRequest {
  readonly sdp: string;
  readonly tracks?: readonly PublishedTrack[];
  readonly reset?: boolean;
}

export interface PublishReply {
  readonly sdp: string;
  readonly tracks: { mid: string; trackId: string }[];
}

export interface Subscription {
  readonly audio: boolean;
  readonly video: boolean;
  /** Exactly these videos, as soon as they exist; at most 25 that are no screens. */
  readonly videos?: readonly VideoRequest[];
  /** Every audio track, never the audio slots of a large meeting. */
  readonly allAudio?: boolean;
  readonly reset?: boolean;
}

export interface SubscribeOffer {
  readonly sdp: string;
  readonly tracks: SubscribedTrack[];
  /** It belongs to a new connection: the old one is gone. */
  readonly reset: boolean;
}

export interface TrickledCandidate {
  readonly pc: 'publish' | 'subscribe';
  readonly candidate: string;
  readonly sdpMid?: string | null;
}

export interface PeerEvents {
  /** The subscribe connection has something to negotiate; {@link Peer.answer} takes the answer. */
  offer: [offer: SubscribeOffer];
  /** The peer's own tracks changed. */
  tracks: [tracks: TrackInfo[]];
  /** How the videos to it are sent, and what it should send: what nobody else needs to know. */
  personal: [update: PersonalUpdate];
}

/** One RTP stream between a peer and the SFU. */
export interface StreamStats {
  readonly trackId: string;
  readonly kind: 'audio' | 'video';
  readonly rid?: string;
  readonly packets: number;
  readonly bytes: number;
  /** Bits a second, as the worker measures them. */
  readonly bitrate: number;
  readonly packetsLost: number;
  readonly jitterMs: number;
  readonly rttMs?: number;
  /** 0 (worst) to 10. */
  readonly score: number;
}

export interface ConnectionStats {
  readonly iceState: 'new' | 'connected' | 'completed' | 'disconnected' | 'closed';
  readonly dtlsState: 'new' | 'connecting' | 'connected' | 'failed' | 'closed';
  readonly protocol?: 'udp' | 'tcp';
  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** Estimated bits a second that can be sent to the peer. */
  readonly availableOutgoingBitrate?: number;
  readonly streams: StreamStats[];
}

export interface PeerStats {
  readonly publish?: ConnectionStats;
  readonly subscribe?: ConnectionStats;
}

/** Whether a participant may send from a source now, or only muted; else why not. */
export type PublishRule = (source: MediaSource) => 'send' | 'mute' | MeetError;

/** One participant's two peer connections. */
export interface Peer extends EventEmitter<PeerEvents> {
  readonly id: string;
  readonly tracks: TrackInfo[];
  /** How many tracks it sends and how many are sent to it. */
  readonly streamCounts: { readonly producers: number; readonly consumers: number };
  /** The subscribe offer that waits for its answer: a client that resumes its signaling needs it again. */
  readonly openOffer: SubscribeOffer | undefined;
  /** All that the `personal` events said and that still holds. */
  readonly personal: PersonalUpdate;
  publish(request: PublishRequest): Promise<PublishReply>;
  setMuted(trackId: string, muted: boolean): Promise<void>;
  /** Ends what it sends from these sources; it may offer it anew. */
  endTracks(sources: ReadonlySet<MediaSource>): void;
  setSubscription(subscription: Subscription): Promise<void>;
  answer(sdp: string): Promise<void>;
  restartIce(): Promise<void>;
  addIceCandidate(candidate: TrickledCandidate): void;
  stats(): Promise<PeerStats>;
  close(): void;
}

/** One meeting. */
export interface Room extends EventEmitter<RoomEvents> {
  readonly id: string;
  /** As last said by the event of this name. */
  readonly speakers: readonly string[];
  /** All audio slots; empty while the meeting has none. */
  readonly audioSlots: readonly AudioSlot[];
  readonly peers: Iterable<Peer>;
  /** `rule` is asked with each offer; without it all may be sent. */
  addPeer(id: string, rule?: PublishRule): Peer;
  close(): void;
}
