/** What hosts do in a meeting; the same over REST and over signaling. docs/PROTOCOL.md says who may. */
import Type, { type Static, type TProperties } from 'typebox';
import { MediaSource } from './model.ts';
import { changeRecordingFields, startRecordingFields } from './recording.ts';

const ParticipantId = Type.String({ minLength: 1, maxLength: 64 });

const action = <A extends string, P extends TProperties>(name: A, properties: P) =>
  Type.Object({ action: Type.Literal(name), ...properties }, { additionalProperties: false });

export const Action = Type.Union([
  /** Lets someone in who waits. */
  action('admit', { participantId: ParticipantId }),
  /** Lets everyone in who waits now. */
  action('admit-all', {}),
  /** Sends someone away who waits. */
  action('deny', { participantId: ParticipantId }),
  /** Nobody else comes in, but hosts and who comes back. */
  action('lock', {}),
  action('unlock', {}),
  /** Sends someone out; with `block` they cannot come back: their account, or without one their address. */
  action('remove', { participantId: ParticipantId, block: Type.Optional(Type.Boolean()) }),
  /** Takes back the blocks of a meeting: that of one participant, or all. */
  action('unblock', { participantId: Type.Optional(ParticipantId) }),
  /** The server stops forwarding it at once: the microphone unless `source` says otherwise. */
  action('mute', { participantId: ParticipantId, source: Type.Optional(MediaSource) }),
  /** Mutes all microphones but that of who asks; with `exceptHosts` those of hosts and co-hosts are left. */
  action('mute-all', { exceptHosts: Type.Optional(Type.Boolean()) }),
  /** Asks a participant to unmute, and lets them where they otherwise may not. */
  action('ask-unmute', { participantId: ParticipantId, source: Type.Optional(MediaSource) }),
  /** Whether participants may unmute their microphones themselves. */
  action('unmuting', { allowed: Type.Boolean() }),
  /** Whether participants may share their screens; those that are shared end. */
  action('screen-sharing', { allowed: Type.Boolean() }),
  /** Whether several may share at the same time. */
  action('several-screens', { allowed: Type.Boolean() }),
  /** Ends the sharing of a participant's screen at once. */
  action('stop-share', { participantId: ParticipantId }),
  /** Lowers a participant's hand, or all. */
  action('lower-hand', { participantId: Type.Optional(ParticipantId) }),
  /** Makes a participant a co-host. */
  action('promote', { participantId: ParticipantId }),
  /** Makes a co-host a participant. */
  action('demote', { participantId: ParticipantId }),
  /** Makes someone the host; who was it is a co-host from then on. */
  action('hand-over', { participantId: ParticipantId }),
  /** Makes the meeting's creator its host again, and who is it a co-host. */
  action('reclaim', {}),
  /** Starts a recording; `recording` of the state-updates says when it runs. */
  action('start-recording', startRecordingFields),
  /** Pauses it, goes on with it, or gives it another layout. */
  action('change-recording', changeRecordingFields),
  action('stop-recording', {}),
  /** Ends the meeting for everybody. */
  action('end', {}),
]);
export type Action = Static<typeof Action>;
export type ActionName = Action['action'];
