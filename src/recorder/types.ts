/** What the parts of the recorder share: the options of a recording and what its folder holds. */
import Type, { type Static } from 'typebox';
import { MediaSource } from '../protocol/model.ts';
import { LayoutName, RecordingFormat } from '../protocol/recording.ts';

export { LayoutName, RecordingFormat };

/** How a recording looks and is encoded; kept in its folder, so that it can be finished or made again. */
export const RecordingOptions = Type.Object({
  layout: LayoutName,
  /** Name of the participant who is large in `spotlight`; the host where it is absent. */
  pin: Type.Optional(Type.String()),
  /** Pixels, both even. */
  width: Type.Integer({ minimum: 160, maximum: 3840, multipleOf: 2 }),
  height: Type.Integer({ minimum: 90, maximum: 2160, multipleOf: 2 }),
  fps: Type.Integer({ minimum: 1, maximum: 60 }),
  /** Of the picture, bits a second. */
  bitrate: Type.Integer({ minimum: 100_000, maximum: 20_000_000 }),
  format: RecordingFormat,
  /** The time of day in a corner. */
  clock: Type.Boolean(),
  /** Only the tracks as they were received. */
  tracksOnly: Type.Boolean(),
});
export type RecordingOptions = Static<typeof RecordingOptions>;

/** Pixels from the top left corner of the picture. */
export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const WallMs = Type.Number({ description: "milliseconds since the epoch, on the recorder's clock" });
/** A line of `events.jsonl`: what happened in the meeting, in the order in which the recorder learnt of it. */
export const RecordingEvent = Type.Union([
  Type.Object({ type: Type.Literal('start'), at: WallMs, meetingId: Type.String(), title: Type.String() }),
  Type.Object({
    type: Type.Literal('participant'),
    at: WallMs,
    id: Type.String(),
    name: Type.String(),
    role: Type.String(),
    /** `left` once it is gone for good. */
    state: Type.String(),
    muted: Type.Array(MediaSource),
  }),
  Type.Object({
    type: Type.Literal('track'),
    at: WallMs,
    trackId: Type.String(),
    participantId: Type.String(),
    source: MediaSource,
    codec: Type.String(),
    /** In the folder's `tracks/`. */
    file: Type.String(),
  }),
  Type.Object({ type: Type.Literal('track-end'), at: WallMs, trackId: Type.String() }),
  /**
   * Ties a track's RTP time to the wall clock, from the sender's reports: once a second, and where file time and the
   * sender's clock part.
   */
  Type.Object({
    type: Type.Literal('anchor'),
    at: WallMs,
    trackId: Type.String(),
    rtpTimestamp: Type.Integer(),
    /** Time in the track's file, milliseconds. */
    fileMs: Type.Number(),
    /** On the recorder's clock, milliseconds since the epoch. */
    capturedAt: Type.Number(),
    /** The same on the sender's clock, where it says so. */
    senderMs: Type.Optional(Type.Number()),
  }),
  Type.Object({ type: Type.Literal('speakers'), at: WallMs, participantIds: Type.Array(Type.String()) }),
  Type.Object({
    type: Type.Literal('layout'),
    at: WallMs,
    layout: LayoutName,
    pin: Type.Optional(Type.String()),
  }),
  Type.Object({ type: Type.Literal('share'), at: WallMs, participantId: Type.String(), on: Type.Boolean() }),
  Type.Object({ type: Type.Literal('pause'), at: WallMs }),
  Type.Object({ type: Type.Literal('resume'), at: WallMs }),
  /** The recorder was away: it lost its connection, or was killed and is here again. */
  Type.Object({ type: Type.Literal('gap'), at: WallMs, sinceMs: WallMs }),
  /** The disk is full and nothing is appended (`full`), or there is room again. */
  Type.Object({ type: Type.Literal('disk'), at: WallMs, full: Type.Boolean() }),
  Type.Object({ type: Type.Literal('stop'), at: WallMs, reason: Type.String() }),
]);
export type RecordingEvent = Static<typeof RecordingEvent>;
