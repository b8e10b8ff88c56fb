/**
 * What passes between a server and the recorder process that it starts: lines of JSON on the recorder's stdin, and
 * its events on stdout. docs/PROTOCOL.md says more.
 */
import Type, { type Static } from 'typebox';
import { LayoutName, StepState } from './recording.ts';

/** A line on stdin. Nothing of it does harm when it comes twice; the end of stdin says nothing. */
export const RecorderControl = Type.Object({
  layout: Type.Optional(LayoutName),
  /** `null` takes it away. */
  pin: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  paused: Type.Optional(Type.Boolean()),
  stop: Type.Optional(Type.Boolean()),
});
export type RecorderControl = Static<typeof RecorderControl>;

const event = <E extends string, P extends Type.TProperties>(name: E, properties: P) =>
  Type.Object({ event: Type.Literal(name), at: Type.Number(), ...properties });

/** The events on stdout that a server acts on; there may be others. */
export const RecorderEvent = Type.Union([
  /** The first media is stored. */
  event('recording-started', { startedAt: Type.Optional(Type.Number()) }),
  event('recording-state', {
    state: Type.Union([Type.Literal('recording'), Type.Literal('paused')]),
    layout: LayoutName,
    pin: Type.Optional(Type.String()),
  }),
  /** There is no space left; what is recorded stays. */
  event('disk-full', {}),
  /** There is space again. */
  event('disk-free', {}),
  /** The live file is in the object store. */
  event('uploaded', { location: Type.String() }),
  /** Nothing more is recorded; the file is being finished. */
  event('stopped', { reason: Type.Optional(Type.String()) }),
  /** Of `meet recordings process`: how one of its steps stands. */
  event('step', {
    step: Type.String(),
    state: StepState,
    error: Type.Optional(Type.String()),
    /** Why there was nothing to do. */
    note: Type.Optional(Type.String()),
  }),
  /** Its last word. */
  event('processed', { done: Type.Boolean() }),
  /** What was recorded is all there. */
  event('finished', {
    /** In the recording's folder. */
    file: Type.Optional(Type.String()),
    durationMs: Type.Number({ minimum: 0 }),
    sizeBytes: Type.Number({ minimum: 0 }),
    /** `s3://bucket/key`, where it was uploaded. */
    location: Type.Optional(Type.String()),
  }),
]);
export type RecorderEvent = Static<typeof RecorderEvent>;
