/** Recordings of meetings: what everybody sees of one that runs, and what is kept of those that were made. */
import Type, { type Static } from 'typebox';
import { MeetingId } from './model.ts';

const OrNull = <T extends Type.TSchema>(type: T) => Type.Union([type, Type.Null()]);

/** Where the tiles are: everybody alike, the active speaker large, or one participant large whoever speaks. */
export const LayoutName = Type.Union([
  Type.Literal('gallery'),
  Type.Literal('speaker'),
  Type.Literal('spotlight'),
]);
export type LayoutName = Static<typeof LayoutName>;

export const RecordingFormat = Type.Union([Type.Literal('mp4'), Type.Literal('webm'), Type.Literal('m4a')]);
export type RecordingFormat = Static<typeof RecordingFormat>;

/** Name of the participant who is large in `spotlight`. */
const Pin = Type.String({ minLength: 1, maxLength: 80 });

export const RecordingState = Type.Union([
  /** The recorder is on its way into the meeting. */
  Type.Literal('starting'),
  Type.Literal('recording'),
  Type.Literal('paused'),
  /** The recorder died and is being started again. */
  Type.Literal('recovering'),
  /** It has been asked to stop. */
  Type.Literal('stopping'),
]);
export type RecordingState = Static<typeof RecordingState>;

/** The recording that runs. What it says of layout, pin and state is also what its recorder is to do. */
export const LiveRecording = Type.Object({
  /** `null` where the recorder is not the server's own. */
  id: OrNull(Type.String()),
  state: RecordingState,
  /** When it began, milliseconds since the epoch. */
  since: Type.Integer(),
  layout: LayoutName,
  pin: Type.Optional(Pin),
  /** The recorder has no space left on its disk: what there is stays, and nothing is added. */
  diskFull: Type.Optional(Type.Boolean()),
});
export type LiveRecording = Static<typeof LiveRecording>;

export const RecordingSize = Type.String({
  pattern: '^[1-9][0-9]{2,3}x[1-9][0-9]{1,3}$',
  description: 'width and height in pixels, both even: `1280x720`',
});

/** Who may see a recording. */
export const AccessScope = Type.Union([
  /** Hosts of its meeting. */
  Type.Literal('hosts'),
  /** And whoever was in the meeting. */
  Type.Literal('participants'),
  /** And whoever has its link. */
  Type.Literal('link'),
]);
export type AccessScope = Static<typeof AccessScope>;

/** How a recording is to be made; the server's defaults where a field is absent. */
const recordingOptions = {
  layout: Type.Optional(LayoutName),
  pin: Type.Optional(Pin),
  size: Type.Optional(RecordingSize),
  fps: Type.Optional(Type.Integer({ minimum: 1, maximum: 60 })),
  /** Of the picture, bits a second. */
  bitrate: Type.Optional(Type.Integer({ minimum: 100_000, maximum: 20_000_000 })),
  format: Type.Optional(RecordingFormat),
  /** The time of day in a corner. */
  clock: Type.Optional(Type.Boolean()),
  /** Only the tracks as they were received. */
  tracksOnly: Type.Optional(Type.Boolean()),
  access: Type.Optional(AccessScope),
};
export const StartRecording = Type.Object(recordingOptions, { additionalProperties: false });
export type StartRecording = Static<typeof StartRecording>;
export const startRecordingFields = recordingOptions;

/** What can be changed while it runs. */
const recordingChanges = {
  layout: Type.Optional(LayoutName),
  /** `null` takes it away. */
  pin: Type.Optional(OrNull(Pin)),
  paused: Type.Optional(Type.Boolean()),
};
export const ChangeRecording = Type.Object(recordingChanges, { additionalProperties: false });
export type ChangeRecording = Static<typeof ChangeRecording>;
export const changeRecordingFields = recordingChanges;

export const LiveRecordingReply = Type.Object({ recording: OrNull(LiveRecording) });
export type LiveRecordingReply = Static<typeof LiveRecordingReply>;

export const RecordingStatus = Type.Union([
  Type.Literal('recording'),
  /** Media is all there; the file is being finished, thumbnails, chapters and transcript are being made. */
  Type.Literal('processing'),
  Type.Literal('ready'),
  Type.Literal('failed'),
]);
export type RecordingStatus = Static<typeof RecordingStatus>;

export const RecordingFile = Type.Object({
  /** Within the recording, as `recording.mp4`. */
  name: Type.String(),
  size: Type.Integer({ minimum: 0 }),
  contentType: Type.String(),
});
export type RecordingFile = Static<typeof RecordingFile>;

export const StepState = Type.Union([
  Type.Literal('pending'),
  Type.Literal('running'),
  Type.Literal('done'),
  Type.Literal('failed'),
  Type.Literal('skipped'),
]);
export type StepState = Static<typeof StepState>;

/** One thing that is done after the meeting, as `thumbnails` or `transcript`. */
export const RecordingStep = Type.Object({
  name: Type.String(),
  state: StepState,
  /** Why it failed or was skipped. */
  error: Type.Optional(Type.String()),
});
export type RecordingStep = Static<typeof RecordingStep>;

export const RecordingInfo = Type.Object({
  id: Type.String(),
  meetingId: MeetingId,
  title: OrNull(Type.String()),
  status: RecordingStatus,
  format: RecordingFormat,
  layout: LayoutName,
  createdAt: Type.Integer(),
  /** When the first media was recorded; `null` until then. */
  startedAt: OrNull(Type.Integer()),
  endedAt: OrNull(Type.Integer()),
  /** Without the pauses, milliseconds. */
  durationMs: OrNull(Type.Integer()),
  sizeBytes: OrNull(Type.Integer()),
  /** Milliseconds since the epoch; `to` is `null` while it is paused. */
  pauses: Type.Array(Type.Object({ from: Type.Integer(), to: OrNull(Type.Integer()) })),
  files: Type.Array(RecordingFile),
  steps: Type.Array(RecordingStep),
  access: Type.Object({
    scope: AccessScope,
    /** Users who may see it besides; for hosts only. */
    userIds: Type.Optional(Type.Array(Type.String())),
  }),
  /** Where whoever has it may watch; only for hosts, and only while `access.scope` is `link`. */
  link: Type.Optional(Type.String()),
  /** When it is deleted; `null` for never. */
  expiresAt: OrNull(Type.Integer()),
  /** Why it failed. */
  error: OrNull(Type.String()),
});
export type RecordingInfo = Static<typeof RecordingInfo>;

export const RecordingsReply = Type.Object({ recordings: Type.Array(RecordingInfo) });
export type RecordingsReply = Static<typeof RecordingsReply>;

export const RecordingParams = Type.Object({ recordingId: Type.String({ pattern: '^[A-Za-z0-9-]{1,64}$' }) });

export const RecordingQuery = Type.Object(
  {
    /** The secret of the recording's link. */
    link: Type.Optional(Type.String({ maxLength: 64 })),
  },
  { additionalProperties: false },
);
export type RecordingQuery = Static<typeof RecordingQuery>;

export const RecordingFileQuery = Type.Object(
  {
    ...RecordingQuery.properties,
    /** One of its files; the recording itself unless given. */
    file: Type.Optional(Type.String({ maxLength: 200 })),
    /** How long the URL is to be good for, seconds; ten minutes unless given. */
    expires: Type.Optional(Type.Integer({ minimum: 1, maximum: 86_400 })),
    /** Makes browsers save it and not show it. */
    download: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
);
export type RecordingFileQuery = Static<typeof RecordingFileQuery>;

export const RecordingUrlReply = Type.Object({
  file: RecordingFile,
  url: Type.String(),
  urlExpiresAt: Type.Integer(),
});
export type RecordingUrlReply = Static<typeof RecordingUrlReply>;

export const UpdateRecordingBody = Type.Object(
  {
    access: Type.Object(
      {
        scope: Type.Optional(AccessScope),
        userIds: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { maxItems: 100 })),
        /** Makes the link another one: who has the one of before sees nothing any more. */
        newLink: Type.Optional(Type.Boolean()),
      },
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
);
export type UpdateRecordingBody = Static<typeof UpdateRecordingBody>;

/** The body of a webhook call; docs/PROTOCOL.md says how it is signed. */
export const RecordingWebhook = Type.Object({
  /** Names the event, also when it comes a second time. */
  id: Type.String(),
  type: Type.Union([
    Type.Literal('recording.started'),
    Type.Literal('recording.stopped'),
    Type.Literal('recording.ready'),
    Type.Literal('recording.failed'),
  ]),
  /** When it happened, milliseconds since the epoch. */
  at: Type.Integer(),
  recording: RecordingInfo,
});
export type RecordingWebhook = Static<typeof RecordingWebhook>;
