/** What `recording.json` says: the state of a recording and of the work on it. */
import Type, { type Static } from 'typebox';
import { RecordingOptions } from '../types.ts';

export const RecordingState = Type.Union([
  /** Nobody is there yet. */
  Type.Literal('waiting'),
  Type.Literal('recording'),
  Type.Literal('paused'),
  /** Nothing more comes; the work after the meeting is to be done. */
  Type.Literal('stopped'),
  /** All steps are done. */
  Type.Literal('processed'),
  /** It could not be recorded, or a step failed for good. */
  Type.Literal('failed'),
]);
export type RecordingState = Static<typeof RecordingState>;

/** The states that each may become. A failed or finished recording is taken up again by going back to `stopped`. */
const NEXT: Readonly<Record<RecordingState, readonly RecordingState[]>> = {
  waiting: ['recording', 'stopped', 'failed'],
  recording: ['paused', 'stopped', 'failed'],
  paused: ['recording', 'stopped', 'failed'],
  stopped: ['processed', 'failed'],
  processed: ['stopped'],
  failed: ['stopped'],
};

/** Whether a recording in the state `from` may become `to`. */
export function mayBecome(from: RecordingState, to: RecordingState): boolean {
  return NEXT[from].includes(to);
}

/** Whether frames may still come: it waits, runs or is paused, or was so when its recorder died. */
export function isUnfinished(state: RecordingState): boolean {
  return state === 'waiting' || state === 'recording' || state === 'paused';
}

const WallMs = Type.Number({ minimum: 0 });

/** A step of the work after the meeting. */
export const StepState = Type.Object({
  state: Type.Union([
    Type.Literal('pending'),
    Type.Literal('running'),
    Type.Literal('done'),
    Type.Literal('failed'),
    /** There was nothing to do, or nothing to do it with. */
    Type.Literal('skipped'),
  ]),
  attempts: Type.Integer({ minimum: 0 }),
  error: Type.Optional(Type.String()),
});
export type StepState = Static<typeof StepState>;

/** A time that is not in the picture: paused by a host, or without a recorder. Open while it lasts. */
export const Pause = Type.Object({
  from: WallMs,
  to: Type.Optional(WallMs),
  reason: Type.Union([Type.Literal('paused'), Type.Literal('recorder-away')]),
});
export type Pause = Static<typeof Pause>;

export const Recording = Type.Object({
  version: Type.Literal(1),
  /** Also the folder's name. */
  id: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$' }),
  /** Base URL of the meeting's server. */
  server: Type.String(),
  meetingId: Type.String(),
  title: Type.Union([Type.String(), Type.Null()]),
  state: RecordingState,
  /** Why it failed. */
  error: Type.Optional(Type.String()),
  /** On the recorder's clock, milliseconds since the epoch, as all times here. */
  createdAt: WallMs,
  /** Time 0 of the output. */
  startedAt: Type.Optional(WallMs),
  stoppedAt: Type.Optional(WallMs),
  options: RecordingOptions,
  pauses: Type.Array(Pause),
  steps: Type.Record(Type.String(), StepState),
});
export type Recording = Static<typeof Recording>;
