/** The entities that cross the wire. Times are milliseconds since the epoch. */
import Type, { type Static } from 'typebox';

export const MEETING_ID_PATTERN = '^[a-z0-9-]{3,40}$';
export const MeetingId = Type.String({ pattern: MEETING_ID_PATTERN });
export const DisplayName = Type.String({ minLength: 1, maxLength: 80 });

export const MediaKind = Type.Union([Type.Literal('audio'), Type.Literal('video')]);
export type MediaKind = Static<typeof MediaKind>;

/** What a track shows: RFC 8843 mids say nothing about it, so it travels beside the SDP. */
export const MediaSource = Type.Union([
  Type.Literal('camera'),
  Type.Literal('microphone'),
  Type.Literal('screen'),
  Type.Literal('screen-audio'),
]);
export type MediaSource = Static<typeof MediaSource>;

export const Role = Type.Union([Type.Literal('host'), Type.Literal('co-host'), Type.Literal('participant')]);
export type Role = Static<typeof Role>;

export const MeetingStatus = Type.Union([
  Type.Literal('scheduled'),
  Type.Literal('in-progress'),
  Type.Literal('ended'),
]);
export type MeetingStatus = Static<typeof MeetingStatus>;

export const MeetingInfo = Type.Object({
  id: MeetingId,
  url: Type.String(),
  title: Type.Union([Type.String(), Type.Null()]),
  status: MeetingStatus,
  scheduledTime: Type.Union([Type.Integer(), Type.Null()]),
  /** Planned length in minutes. */
  duration: Type.Union([Type.Integer(), Type.Null()]),
  createdAt: Type.Integer(),
  startedAt: Type.Union([Type.Integer(), Type.Null()]),
  endedAt: Type.Union([Type.Integer(), Type.Null()]),
  settings: Type.Object({
    hasPassword: Type.Boolean(),
    waitingRoom: Type.Boolean(),
    recording: Type.Boolean(),
    /** Nobody else comes in. */
    locked: Type.Boolean(),
    /** Participants may unmute their microphones themselves. */
    unmuting: Type.Boolean(),
    /** Participants may share their screens; hosts and co-hosts always may. */
    screenSharing: Type.Boolean(),
    /** Several may share at the same time. */
    severalScreens: Type.Boolean(),
  }),
});
export type MeetingInfo = Static<typeof MeetingInfo>;

/** A live audio or video stream of a participant (the design's MediaStream). */
export const TrackInfo = Type.Object({
  id: Type.String(),
  kind: MediaKind,
  source: MediaSource,
  /** Lower-case codec name: `opus`, `vp8`, `vp9`, `h264`, `av1`. */
  codec: Type.String(),
  muted: Type.Boolean(),
  /** Number of simulcast layers offered (1 where there is no simulcast). */
  layers: Type.Integer(),
});
export type TrackInfo = Static<typeof TrackInfo>;

export const ParticipantState = Type.Union([
  Type.Literal('joining'),
  /** In the waiting room: a host admits or denies them. */
  Type.Literal('waiting'),
  Type.Literal('joined'),
  Type.Literal('reconnecting'),
  Type.Literal('left'),
]);
export type ParticipantState = Static<typeof ParticipantState>;

export const ParticipantInfo = Type.Object({
  id: Type.String(),
  name: DisplayName,
  role: Role,
  state: ParticipantState,
  joinedAt: Type.Integer(),
  /** When the hand was raised, milliseconds since the epoch; `null` while it is down. */
  hand: Type.Union([Type.Integer(), Type.Null()]),
  /** It records the meeting: it has no tile and is not counted. */
  recorder: Type.Optional(Type.Boolean()),
  tracks: Type.Array(TrackInfo),
});
export type ParticipantInfo = Static<typeof ParticipantInfo>;

/** As RTCIceServer in the browser. */
export const IceServer = Type.Object({
  urls: Type.Array(Type.String()),
  username: Type.Optional(Type.String()),
  credential: Type.Optional(Type.String()),
});
export type IceServer = Static<typeof IceServer>;
