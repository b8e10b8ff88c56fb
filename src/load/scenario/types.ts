/** What a run is to do, as a scenario file or the options of the command say it. */
import Type, { type Static } from 'typebox';
import { VIDEO_CHOICES } from '../media/source.ts';

const Count = Type.Integer({ minimum: 0, maximum: 1_000_000 });
/** `30s`, `5m`, `500ms`; a number is seconds. */
const Duration = Type.Union([Type.String(), Type.Number()]);
/** `20/s`, `300/m`; a number is so many a second. */
const Rate = Type.Union([Type.String(), Type.Number()]);

const PhaseFile = Type.Object(
  {
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 80 })),
    duration: Duration,
    /** Receivers of all meetings together at the end of the phase; as many as before where it says nothing. */
    bots: Type.Optional(Count),
    ramp: Type.Optional(Rate),
    joinLeave: Type.Optional(Rate),
    chat: Type.Optional(Rate),
  },
  { additionalProperties: false },
);

/** A scenario file; all but `phases` has the option of the same name. */
export const ScenarioFile = Type.Object(
  {
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    bots: Type.Optional(Count),
    meetings: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
    perMeeting: Type.Optional(Count),
    publishers: Type.Optional(Count),
    video: Type.Optional(Type.Union(VIDEO_CHOICES.map((choice) => Type.Literal(choice)))),
    audio: Type.Optional(Type.Boolean()),
    speakers: Type.Optional(Count),
    layout: Type.Optional(Type.Union([Type.Literal('gallery'), Type.Literal('speaker')])),
    maxHeight: Type.Optional(Type.Integer({ minimum: 1, maximum: 8_640 })),
    media: Type.Optional(Type.Array(Type.String(), { minItems: 1, maxItems: 100 })),
    ramp: Type.Optional(Rate),
    duration: Type.Optional(Duration),
    joinLeave: Type.Optional(Rate),
    chat: Type.Optional(Rate),
    check: Type.Optional(Type.Union([Type.Literal('all'), Type.Integer({ minimum: 1 })])),
    seed: Type.Optional(Type.Integer({ minimum: 0, maximum: 2 ** 32 - 1 })),
    maxLag: Type.Optional(Duration),
    phases: Type.Optional(Type.Array(PhaseFile, { minItems: 1, maxItems: 1_000 })),
    thresholds: Type.Optional(
      Type.Record(Type.String(), Type.Union([Type.String(), Type.Array(Type.String())])),
    ),
    checks: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  },
  { additionalProperties: false },
);
export type ScenarioFile = Static<typeof ScenarioFile>;

/** A part of a run with its own crowd. */
export interface Phase {
  readonly name: string;
  /** From when the crowd has come to its size, milliseconds. */
  readonly durationMs: number;
  /** Receivers at its end, all meetings together. */
  readonly bots: number;
  /** Joins a second on the way there. */
  readonly ramp: number;
  /** Bots that leave, and others that join in their place, a second. */
  readonly joinLeave: number;
  /** Messages a second, all meetings together. */
  readonly chat: number;
}

/** A threshold as `loss: '<0.5%'`: missing it fails the run. */
export interface Threshold {
  /** As written, for the report. */
  readonly metric: string;
  readonly condition: string;
  /** Only the figures of this phase. */
  readonly phase?: string;
}

/** A condition on each bot, as `frames > 0`; how many keep it is a figure that a threshold may ask about. */
export interface Check {
  readonly name: string;
  readonly holds: (bot: Readonly<Record<string, unknown>>) => boolean;
}

export interface Scenario {
  readonly name: string;
  readonly meetings: number;
  /** In each meeting. */
  readonly publishers: number;
  readonly speakers: number;
  readonly video: (typeof VIDEO_CHOICES)[number];
  readonly audio: boolean;
  readonly layout?: 'gallery' | 'speaker';
  readonly maxHeight?: number;
  /** Clips to send; those of the package where there are none. */
  readonly media?: readonly string[];
  readonly checkOneIn: number;
  readonly seed: number;
  /** Delay of a driver's event loop from which the result is invalid, milliseconds. */
  readonly maxLagMs: number;
  readonly phases: readonly Phase[];
  readonly thresholds: readonly Threshold[];
  readonly checks: readonly Check[];
}
