/** What the policy is told and what it decides. */
import type { MediaSource } from '../../../protocol/model.ts';
import type { LayerReason } from '../../../protocol/signaling.ts';

export interface LayerInput {
  /** Lines. */
  readonly height: number;
  /** Bits a second to send it up to each temporal layer, lowest first; one entry where there are none. */
  readonly bitrates: readonly number[];
  /** `asleep`: it comes when it is wanted; `missing`: it was wanted and does not come. */
  readonly state: 'active' | 'asleep' | 'missing';
}

export interface VideoInput {
  readonly trackId: string;
  readonly source: MediaSource;
  /** Lowest first. */
  readonly layers: readonly LayerInput[];
  /** Lines of the tile it is shown in; `undefined`: the best there is. */
  readonly maxHeight: number | undefined;
  readonly pinned: boolean;
  /** 0 for the active speaker; `undefined` for who does not speak. */
  readonly speakerRank: number | undefined;
}

export interface PolicyInput {
  readonly nowMs: number;
  /** Bits a second that can be sent to the receiver, audio included. */
  readonly estimate: number;
  /** The estimate need not hold for some time first: it was found in another way that it does. */
  readonly proven?: boolean;
  /** Share of packets that it loses, 0 to 1, smoothed over a second or two. */
  readonly loss: number;
  /** It is measured in another way than last time: that it has grown says nothing. */
  readonly lossAnew?: boolean;
  /** Bits a second of the audio that it is sent. */
  readonly audioBitrate: number;
  readonly videos: readonly VideoInput[];
}

export interface VideoDecision {
  readonly trackId: string;
  /** −1: nothing. */
  readonly layer: number;
  readonly temporalLayer: number;
  readonly reason: LayerReason;
  /** Highest layer that the sender should send for this receiver, −1 for none: a sleeping one is woken first. */
  readonly wanted: number;
}

export interface Decision {
  readonly videos: VideoDecision[];
  /** Videos are asked for and the network carries none. */
  readonly audioOnly: boolean;
  /** The bandwidth is what does not suffice for any, and not the loss. */
  readonly starved: boolean;
  /** A switch up is about to happen that needs this bandwidth: whether it is really there should be found out now. */
  readonly prove: number | undefined;
  /** Bits a second of all videos decided on. */
  readonly bitrate: number;
}
