/** What the client library gives: `import { joinMeeting } from 'meet'`. */
import type { Codec, EncodedSource } from '../media/types.ts';
import type { ChatMessage } from '../protocol/chat.ts';
import type { MeetError } from '../protocol/errors.ts';
import type { MediaKind, MediaSource, MeetingInfo, ParticipantInfo } from '../protocol/model.ts';
import type { LiveRecording } from '../protocol/recording.ts';
import type { AudioSlot, LayerReason, SentVideo } from '../protocol/signaling.ts';
import type { SourceRole } from './peer/sent-sources.ts';
import type { View } from './view.ts';

export interface JoinOptions {
  /** Meeting URL (`https://host/meetings/<id>`), or an id together with `server`. */
  readonly meeting: string;
  /** Base URL of the server, needed when `meeting` is an id. */
  readonly server?: string;
  readonly displayName: string;
  readonly password?: string;
  /** A host token, whose bearer joins as a host, or another token of `meet token`. */
  readonly hostToken?: string;
  /** What to send; nothing when absent. The meeting closes it on leaving. */
  readonly source?: EncodedSource;
  /** What to send as this participant's screen, with its sound; the meeting closes it on leaving. */
  readonly screen?: EncodedSource;
  /** What to receive; default `all`. */
  readonly receive?: 'all' | 'audio' | 'none';
  /** Which videos to receive and how large; all of them as they are when absent. `setView` changes it. */
  readonly view?: View;
  /**
   * Every audio track also in a large meeting, whose participants else hear the few who speak: for recorders. It costs
   * as much bandwidth as there are microphones.
   */
  readonly allAudio?: boolean;
  /** Comes to record: it is no participant for the others, who are told that they are recorded. */
  readonly recorder?: boolean;
  /** `relay` uses TURN only. */
  readonly iceTransportPolicy?: 'all' | 'relay';
  /**
   * How long to try to come back after a lost connection before giving up, milliseconds; default 60 000.
   */
  readonly reconnectTimeoutMs?: number;
  /** Aborts the attempt to join, and leaves when it fires later. */
  readonly signal?: AbortSignal;
}

/** Milliseconds that the steps of joining took. `ice` and `dtls` are of the first connection to be up. */
export interface JoinTimings {
  readonly api: number;
  readonly signaling: number;
  readonly ice: number;
  readonly dtls: number;
}

/** A whole encoded frame out of the jitter buffer, in decoding order. */
export interface ReceivedFrame {
  readonly data: Buffer;
  readonly keyframe: boolean;
  /** 32-bit RTP timestamp as received. */
  readonly rtpTimestamp: number;
  /** RTP timestamp unwrapped and divided by the clock rate, milliseconds; starts anywhere. */
  readonly mediaTimeMs: number;
  /**
   * When the sender captured it, on the sender's wall clock (milliseconds since the epoch), from its sender
   * reports; `undefined` before the first one. Frames of one participant compare across audio and video.
   */
  readonly captureTimeMs: number | undefined;
  /** When its last packet came, milliseconds since the epoch. */
  readonly receivedAtMs: number;
  /** Frames of this track were lost for good just before this one. */
  readonly gapBefore: boolean;
  readonly width?: number;
  readonly height?: number;
  /** Audio: level in −dBov, 0 (loudest) to 127 (silence), as the sender says it (RFC 6464). */
  readonly audioLevel?: number;
}

export interface ReceiverStats {
  readonly packets: number;
  readonly bytes: number;
  /** Packets that never came, retransmissions taken into account. */
  readonly lost: number;
  readonly retransmitted: number;
  readonly duplicates: number;
  readonly nacksSent: number;
  readonly plisSent: number;
  /** Interarrival jitter, RFC 3550 section 6.4.1. */
  readonly jitterMs: number;
  readonly frames: number;
  readonly keyframes: number;
  readonly framesDropped: number;
  /** Frames a second over the last second. */
  readonly fps: number;
  readonly width?: number;
  readonly height?: number;
}

export interface SenderStats {
  readonly packets: number;
  readonly bytes: number;
  readonly retransmitted: number;
  readonly nacksReceived: number;
  readonly keyframeRequests: number;
  readonly frames: number;
  readonly keyframes: number;
  /** From the last receiver report, 0 to 1. */
  readonly fractionLost: number;
  readonly packetsLost: number;
  readonly jitterMs: number;
  readonly rttMs: number | undefined;
}

export interface RemoteTrackEvents {
  frame: [frame: ReceivedFrame];
  /** An audio slot has another occupant: its id, `null` when nobody is heard. */
  occupant: [participantId: string | null];
  ended: [];
}

export interface ReceivedTrackStats extends ReceiverStats {
  readonly trackId: string;
  readonly participantId: string;
  readonly kind: MediaKind;
  readonly source: MediaSource;
  readonly codec: Codec;
  /** Audio that is decoded: milliseconds that were lost and made up. */
  readonly concealedMs?: number;
  /** Audio that is decoded: milliseconds that were lost and recovered by in-band FEC. */
  readonly recoveredMs?: number;
  /** Audio slot that the track is. */
  readonly slot?: number;
  /** Video: the layer that the server sends, 0 the lowest, −1 for none; absent until it has said so. */
  readonly layer?: number;
  /** Video: the highest temporal layer that it sends, 0 the lowest, −1 for none. */
  readonly temporalLayer?: number;
  /** Video: why no more than that. */
  readonly reason?: LayerReason;
}

export interface SentTrackStats extends SenderStats {
  readonly kind: MediaKind;
  readonly source: MediaSource;
  /** Simulcast layer, 0 the lowest. */
  readonly layer: number;
  /** Whether it is sent: a video layer rests when nobody wants it or the uplink cannot carry it. */
  readonly active: boolean;
}

export interface MeetingStats {
  readonly sent: readonly SentTrackStats[];
  readonly received: readonly ReceivedTrackStats[];
  readonly rttMs: number | undefined;
  /** Bandwidth to this participant as the server estimates it, bits a second. */
  readonly estimate: number | undefined;
  /** Bandwidth from this participant as it estimates it itself, bits a second. */
  readonly uplinkEstimate: number | undefined;
}

/** Why a meeting is over for this client. */
export type LeftReason =
  | 'left'
  | 'ended'
  | 'removed'
  | 'replaced'
  | 'server-unreachable'
  | 'connection-failed'
  | 'token-expired'
  | 'failed';

export interface LeftInfo {
  readonly reason: LeftReason;
  readonly message?: string;
  /** What the server refused with or what broke, where that was the reason. */
  readonly error?: MeetError;
}

export interface MeetingEvents<Track> {
  /** A participant came, changed or went (`state: 'left'`). */
  participant: [participant: ParticipantInfo];
  /** Settings, title or status of the meeting changed. */
  meeting: [meeting: MeetingInfo];
  /** The recording began, changed or ended (`null`). */
  recording: [recording: LiveRecording | null];
  /** A chat message, one's own among them: each once, in the order of their numbers, across reconnections. */
  message: [message: ChatMessage];
  /** Somebody shows an emoji for a moment, oneself among them. */
  reaction: [reaction: { readonly participantId: string; readonly reaction: string }];
  /** A host asks this participant to unmute; `null` when that host is not in the meeting. */
  'unmute-request': [request: { readonly participantId: string | null; readonly source: MediaSource }];
  /** A host has ended the sharing of this participant's screen; `null` when that host is not in the meeting. */
  'share-stopped': [by: { readonly participantId: string | null }];
  /** A track of another participant is being received. */
  track: [track: Track];
  'track-ended': [track: Track];
  /** Others speak: ids, the active speaker first. */
  speakers: [participantIds: readonly string[]];
  /** The bandwidth to this participant carries no video any more (`true`), or does again. */
  'audio-only': [audioOnly: boolean];
  /** What the server sends of some videos, or why not, changed. */
  videos: [videos: readonly SentVideo[]];
  /** Audio slots have other occupants. */
  'audio-slots': [slots: readonly AudioSlot[]];
  /** The connection is lost; attempt counts from 1. */
  reconnecting: [info: { reason: string; attempt: number }];
  /** It is back, `ms` after it was lost. */
  reconnected: [info: { ms: number }];
  /** The source or the screen has no more to give; the participant stays until it leaves. */
  'source-ended': [role: SourceRole];
  /** The source or the screen failed for good; the meeting goes on without it. */
  'source-failed': [error: Error, role: SourceRole];
  /** The device of what is sent is gone and its track muted until it comes back, or it is back. */
  'source-available': [source: MediaSource, available: boolean];
  /** The meeting is over for us; nothing comes after it. */
  left: [info: LeftInfo];
}
