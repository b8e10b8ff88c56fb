/** Bodies and answers of the REST interface; the same schemas validate requests and make /openapi.json. */
import Type, { type Static } from 'typebox';
import { DisplayName, IceServer, MeetingId, MeetingInfo, ParticipantInfo } from './model.ts';

export const MeetingSettingsInput = Type.Object(
  {
    password: Type.Optional(Type.Union([Type.String({ minLength: 1, maxLength: 128 }), Type.Null()])),
    waitingRoom: Type.Optional(Type.Boolean()),
    recording: Type.Optional(Type.Boolean()),
    locked: Type.Optional(Type.Boolean()),
    unmuting: Type.Optional(Type.Boolean()),
    screenSharing: Type.Optional(Type.Boolean()),
    severalScreens: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
);
export type MeetingSettingsInput = Static<typeof MeetingSettingsInput>;

export const CreateMeetingBody = Type.Object(
  {
    title: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    /** Milliseconds since the epoch. */
    scheduledTime: Type.Optional(Type.Integer({ minimum: 0, maximum: 8.64e15 })),
    /** Minutes. */
    duration: Type.Optional(Type.Integer({ minimum: 1, maximum: 60 * 24 * 7 })),
    settings: Type.Optional(MeetingSettingsInput),
  },
  { additionalProperties: false },
);
export type CreateMeetingBody = Static<typeof CreateMeetingBody>;

export const CreateMeetingReply = Type.Object({
  meeting: MeetingInfo,
  /** JWT that makes its bearer a host of this meeting. */
  hostToken: Type.String(),
});
export type CreateMeetingReply = Static<typeof CreateMeetingReply>;

export const UpdateMeetingBody = Type.Object(
  {
    title: Type.Optional(Type.Union([Type.String({ minLength: 1, maxLength: 200 }), Type.Null()])),
    scheduledTime: Type.Optional(Type.Union([Type.Integer({ minimum: 0, maximum: 8.64e15 }), Type.Null()])),
    duration: Type.Optional(Type.Union([Type.Integer({ minimum: 1, maximum: 60 * 24 * 7 }), Type.Null()])),
    settings: Type.Optional(MeetingSettingsInput),
  },
  { additionalProperties: false },
);
export type UpdateMeetingBody = Static<typeof UpdateMeetingBody>;

export const MeetingParams = Type.Object({ meetingId: MeetingId });
export type MeetingParams = Static<typeof MeetingParams>;

export const JoinBody = Type.Object(
  {
    displayName: DisplayName,
    password: Type.Optional(Type.String({ maxLength: 128 })),
    /** Comes to record; for those only who may start a recording. */
    recorder: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
);
export type JoinBody = Static<typeof JoinBody>;

export const JoinReply = Type.Object({
  meeting: MeetingInfo,
  participant: ParticipantInfo,
  /** JWT for the signaling connection and for REST calls as this participant. */
  token: Type.String(),
  /** When the token expires, milliseconds since the epoch; a fresh one is pushed over signaling before that. */
  tokenExpiresAt: Type.Integer(),
  /** WebSocket URL; the token goes in the Authorization header or as the `token` query parameter. */
  signalingUrl: Type.String(),
  iceServers: Type.Array(IceServer),
});
export type JoinReply = Static<typeof JoinReply>;

export const FileParams = Type.Object({ meetingId: MeetingId, fileId: Type.String({ maxLength: 64 }) });
export type FileParams = Static<typeof FileParams>;

export const ParticipantsReply = Type.Object({ participants: Type.Array(ParticipantInfo) });
export type ParticipantsReply = Static<typeof ParticipantsReply>;

export const ErrorReply = Type.Object({
  error: Type.Object({
    code: Type.String(),
    message: Type.String(),
    hint: Type.Optional(Type.String()),
  }),
});
export type ErrorReply = Static<typeof ErrorReply>;
