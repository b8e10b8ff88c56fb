/**
 * The messages of `WS /signaling/:meetingId`, one JSON object a text frame. docs/PROTOCOL.md explains the
 * order they come in.
 *
 * A *request* carries an `id` of the sender's choosing and gets exactly one reply with the same `id`: `answer`
 * for an `offer`, else `ok`, or `error`. A message without `id` is a notification. Ids of the two directions
 * are independent of each other.
 */
import Type, { type Static, type TSchema } from 'typebox';
import { Action } from './actions.ts';
import { ChatMessage, MessagesQuery, MessagesReply, NewChatMessage, Reaction } from './chat.ts';
import { IceServer, MediaKind, MediaSource, MeetingInfo, ParticipantInfo } from './model.ts';
import { LiveRecording } from './recording.ts';

/** Largest message the server takes, in bytes: an SDP of the most sections allowed is a tenth of that. */
export const MAX_MESSAGE_BYTES = 256 * 1024;
/** Most media sections in one offer; a participant sends a camera, a microphone and a screen, not sixty. */
export const MAX_OFFER_SECTIONS = 64;
/** The server pings this often; a connection silent for {@link HEARTBEAT_TIMEOUT_MS} is taken for dead. */
export const HEARTBEAT_INTERVAL_MS = 4_000;
export const HEARTBEAT_TIMEOUT_MS = 10_000;
/** How long the server keeps a participant whose signaling connection broke. */
export const RESUME_WINDOW_MS = 30_000;

/** WebSocket close codes of our own (RFC 6455 section 7.4.2: 4000–4999 are private). */
export const CLOSE = {
  left: 1000,
  serverStopping: 1001,
  badMessage: 4400,
  unauthorized: 4401,
  removed: 4403,
  meetingNotFound: 4404,
  heartbeatTimeout: 4408,
  replaced: 4409,
  meetingEnded: 4410,
  rateLimited: 4429,
} as const;

const RequestId = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
const Sdp = Type.String({ minLength: 1, maxLength: MAX_MESSAGE_BYTES });
export const PeerConnectionName = Type.Union([Type.Literal('publish'), Type.Literal('subscribe')]);
export type PeerConnectionName = Static<typeof PeerConnectionName>;

const message = <T extends string, P extends TSchema>(type: T, payload: P) =>
  Type.Object({ type: Type.Literal(type), id: Type.Optional(RequestId), payload });
const request = <T extends string, P extends TSchema>(type: T, payload: P) =>
  Type.Object({ type: Type.Literal(type), id: RequestId, payload });

/** What a section of the publish offer shows; without it audio is the microphone and video the camera. */
export const PublishedTrack = Type.Object({
  mid: Type.String({ minLength: 1, maxLength: 64 }),
  source: MediaSource,
  muted: Type.Optional(Type.Boolean()),
  /** Video: its simulcast layers, lowest first. Without it they are taken for 180, 360 and 720 lines. */
  layers: Type.Optional(
    Type.Array(
      Type.Object({
        height: Type.Integer({ minimum: 1, maximum: 8_640 }),
        /** Bits a second that the encoder aims at. */
        bitrate: Type.Integer({ minimum: 1, maximum: 100_000_000 }),
      }),
      { minItems: 1, maxItems: 4 },
    ),
  ),
});
export type PublishedTrack = Static<typeof PublishedTrack>;

/** Which track of whom a section of the subscribe offer carries. */
export const SubscribedTrack = Type.Object({
  mid: Type.String(),
  trackId: Type.String(),
  participantId: Type.String(),
  kind: MediaKind,
  source: MediaSource,
  /**
   * The section is audio slot n of a large meeting: its sender changes without an offer. `participantId` is empty and
   * `trackId` is `slot-n`; `audioSlots` of the state-updates says who is in it.
   */
  slot: Type.Optional(Type.Integer({ minimum: 0 })),
});
export type SubscribedTrack = Static<typeof SubscribedTrack>;

// ---------------------------------------------------------------- client to server

/** Publishes: the server replies `answer`. New ICE credentials in a later offer restart ICE. */
export const ClientOffer = request(
  'offer',
  Type.Object({
    sdp: Sdp,
    tracks: Type.Optional(Type.Array(PublishedTrack, { maxItems: MAX_OFFER_SECTIONS })),
    /** `true` builds the peer connection anew: the client's DTLS association is gone. */
    reset: Type.Optional(Type.Boolean()),
  }),
);
/** Reply to the server's `offer` on the subscribe connection. */
export const ClientAnswer = request('answer', Type.Object({ sdp: Sdp }));
/** Trickled candidate (RFC 8838). The server is ICE-lite and needs none, but browsers send them. */
export const ClientIceCandidate = message(
  'ice-candidate',
  Type.Object({
    pc: PeerConnectionName,
    candidate: Type.String({ maxLength: 1024 }),
    sdpMid: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  }),
);
/** Most videos that one participant may ask for: a page of 25 and the screens. */
export const MAX_VIDEO_REQUESTS = 32;

/** One video that the receiver shows. */
export const VideoRequest = Type.Object({
  participantId: Type.String({ minLength: 1, maxLength: 64 }),
  source: MediaSource,
  /** Height of the tile in pixels; no layer that is higher is sent unless there is no lower one. */
  maxHeight: Type.Optional(Type.Integer({ minimum: 1, maximum: 8_640 })),
  /** Gets its bandwidth before everything but audio and screens. */
  pinned: Type.Optional(Type.Boolean()),
});
export type VideoRequest = Static<typeof VideoRequest>;

/**
 * Says what to receive. With `videos` exactly these (those that do not exist are sent when they come to exist), else
 * with `video` all. `reset` builds the subscribe connection anew. */
export const ClientSubscribe = request(
  'subscribe',
  Type.Object({
    audio: Type.Boolean(),
    video: Type.Boolean(),
    videos: Type.Optional(Type.Array(VideoRequest, { maxItems: MAX_VIDEO_REQUESTS })),
    /** Every audio track, also in a large meeting that has audio slots: for recorders. */
    allAudio: Type.Optional(Type.Boolean()),
    reset: Type.Optional(Type.Boolean()),
  }),
);
/** Asks for a subscribe offer with fresh ICE credentials. */
export const ClientIceRestart = request('ice-restart', Type.Object({ pc: Type.Literal('subscribe') }));
/** Changes the sender's own state. */
export const ClientStateUpdate = request(
  'state-update',
  Type.Object({
    muted: Type.Optional(
      Type.Array(Type.Object({ trackId: Type.String(), muted: Type.Boolean() }), {
        maxItems: MAX_OFFER_SECTIONS,
      }),
    ),
    /** Raises or lowers the sender's hand. */
    hand: Type.Optional(Type.Boolean()),
  }),
);
/** Sends a chat message; the reply `ok` has it as it was stored. */
export const ClientChat = request('message', NewChatMessage);
/** Asks for messages of before: the reply `ok` has a {@link MessagesReply}. */
export const ClientMessages = request('messages', MessagesQuery);
/** Shows a reaction to everyone for a moment. */
export const ClientReaction = request('reaction', Type.Object({ reaction: Reaction }));
/** Does what hosts do. */
export const ClientAction = request('action', Action);
/** Heartbeat for clients that cannot see WebSocket pings (browsers). */
export const ClientPing = request('ping', Type.Object({}));
export const ClientLeave = request('leave', Type.Object({}));

/** Replies of a client to requests of the server other than `offer`. */
export const ClientError = request('error', Type.Object({ code: Type.String(), message: Type.String() }));

export const ClientMessage = Type.Union([
  ClientOffer,
  ClientAnswer,
  ClientIceCandidate,
  ClientSubscribe,
  ClientIceRestart,
  ClientStateUpdate,
  ClientChat,
  ClientMessages,
  ClientReaction,
  ClientAction,
  ClientPing,
  ClientLeave,
  ClientError,
]);
export type ClientMessage = Static<typeof ClientMessage>;
export type ClientRequest = Exclude<ClientMessage, { type: 'answer' | 'ice-candidate' | 'error' }>;

// ---------------------------------------------------------------- server to client

/** Offers the subscribe connection; the client replies `answer`. */
export const ServerOffer = request(
  'offer',
  Type.Object({
    sdp: Sdp,
    tracks: Type.Array(SubscribedTrack),
    /** `true` when it belongs to a new peer connection: the old one is gone on the server. */
    reset: Type.Boolean(),
  }),
);
/** Reply to the client's `offer`; `tracks` names what each section became. */
export const ServerAnswer = request(
  'answer',
  Type.Object({
    sdp: Sdp,
    tracks: Type.Array(Type.Object({ mid: Type.String(), trackId: Type.String() })),
  }),
);
export const ServerOk = request(
  'ok',
  Type.Object({
    /** The message as it was stored, for `message`. */
    message: Type.Optional(ChatMessage),
    /** What was asked for, for `messages`. */
    page: Type.Optional(MessagesReply),
  }),
);
/** Reply to a request that failed (with its id), or the reason why the connection is about to be closed. */
export const ServerError = message(
  'error',
  Type.Object({
    code: Type.String(),
    message: Type.String(),
    hint: Type.Optional(Type.String()),
    /** Seconds after which another try makes sense, for `rate-limited`. */
    retryAfter: Type.Optional(Type.Number({ minimum: 0 })),
  }),
);

/** Chat messages that are new to this connection, in the order of their numbers. */
export const ServerChat = message('chat', Type.Object({ messages: Type.Array(ChatMessage) }));
/** Someone shows a reaction. */
export const ServerReaction = message(
  'reaction',
  Type.Object({ participantId: Type.String(), reaction: Reaction }),
);
/** A host asks this participant to unmute. */
export const ServerUnmuteRequest = message(
  'unmute-request',
  Type.Object({ participantId: Type.Union([Type.String(), Type.Null()]), source: MediaSource }),
);

/** A host has ended the sharing of this participant's screen. */
export const ServerShareStopped = message(
  'share-stopped',
  Type.Object({ participantId: Type.Union([Type.String(), Type.Null()]) }),
);

/** Why a video is sent as it is, or not at all. */
export const LayerReason = Type.Union([
  /** As good as it was asked for, and as it is published. */
  Type.Literal('asked'),
  /** The receiver's bandwidth allows no more. */
  Type.Literal('bandwidth'),
  /** The receiver loses too many packets. */
  Type.Literal('loss'),
  /** It was not asked for. */
  Type.Literal('not-visible'),
  /** The sender does not send it, or not as high as it could be. */
  Type.Literal('sender'),
]);
export type LayerReason = Static<typeof LayerReason>;

/** What this receiver gets of one video. */
export const SentVideo = Type.Object({
  trackId: Type.String(),
  /** Simulcast (or spatial) layer, 0 the lowest; −1 when nothing is sent. */
  layer: Type.Integer({ minimum: -1 }),
  /** Highest temporal layer sent, 0 the lowest; −1 when nothing is sent. */
  temporalLayer: Type.Integer({ minimum: -1 }),
  reason: LayerReason,
});
export type SentVideo = Static<typeof SentVideo>;

/** Who is heard in an audio slot; `null` when nobody is. Nobody hears himself: his slot is silent for him. */
export const AudioSlot = Type.Object({
  slot: Type.Integer({ minimum: 0 }),
  participantId: Type.Union([Type.String(), Type.Null()]),
  trackId: Type.Union([Type.String(), Type.Null()]),
  /** RTP timestamp of the occupant's first packet in the slot: what comes before it is another's. */
  rtpTimestamp: Type.Optional(Type.Integer({ minimum: 0, maximum: 0xffff_ffff })),
  /** When that packet's sound was captured, by the server's clock; its arrival where the sender does not say. */
  capturedAt: Type.Optional(Type.Number()),
});
export type AudioSlot = Static<typeof AudioSlot>;

/**
 * What changed, coalesced: one message for all that happened since the last one. The first message of every
 * connection is `full` and says everything, and so is the one that ends a participant's waiting.
 */
export const ServerStateUpdate = message(
  'state-update',
  Type.Object({
    /** Grows by one with each change that all see; between full updates there is never a gap. */
    version: Type.Integer(),
    full: Type.Optional(Type.Boolean()),
    /** In a full update: who the receiver is, and whether its media of before the drop is still there. */
    self: Type.Optional(
      Type.Object({
        participantId: Type.String(),
        resumed: Type.Boolean(),
      }),
    ),
    /** In a full update for who has been let in: the number of the last chat message. */
    chat: Type.Optional(Type.Object({ last: Type.Integer({ minimum: 0 }) })),
    meeting: Type.Optional(MeetingInfo),
    /** The recording that runs, `null` when none does; in a full update always. */
    recording: Type.Optional(Type.Union([LiveRecording, Type.Null()])),
    /** Participants that are new or changed, whole; in a full update all of them. */
    participants: Type.Optional(Type.Array(ParticipantInfo)),
    left: Type.Optional(Type.Array(Type.Object({ id: Type.String(), reason: Type.String() }))),
    /** A fresh token for the receiver. */
    token: Type.Optional(Type.Object({ token: Type.String(), expiresAt: Type.Integer() })),
    iceServers: Type.Optional(Type.Array(IceServer)),
    /** Who speaks: participant ids, the active speaker first, at most four. Replaces the list. */
    speakers: Type.Optional(Type.Array(Type.String(), { maxItems: 4 })),
    /** This receiver's audio slots that have another occupant now. */
    audioSlots: Type.Optional(Type.Array(AudioSlot)),
    /** This receiver's bandwidth carries no video: only audio is sent, until this is `false` again. */
    audioOnly: Type.Optional(Type.Boolean()),
    /** What this receiver gets of the videos that changed. */
    videos: Type.Optional(Type.Array(SentVideo)),
    /** Estimated bandwidth to this receiver, bits a second; sent with `videos` and when it changed by a tenth. */
    estimate: Type.Optional(Type.Integer({ minimum: 0 })),
    /** Layers of this receiver's own videos that somebody wants; the others need not be sent. */
    wantedLayers: Type.Optional(
      Type.Array(Type.Object({ trackId: Type.String(), layers: Type.Array(Type.Integer({ minimum: 0 })) })),
    ),
    /** Loss in percent that this receiver's own Opus encoder is to protect against by in-band FEC; 0 is none. */
    audioLoss: Type.Optional(Type.Integer({ minimum: 0, maximum: 100 })),
    /** The receiver's peer connections are gone (a worker died): publish and subscribe anew. */
    mediaReset: Type.Optional(Type.Object({ reason: Type.String() })),
  }),
);
/** Last message before the server closes the connection for good. */
export const ServerBye = message('bye', Type.Object({ reason: Type.String(), message: Type.String() }));

export const ServerMessage = Type.Union([
  ServerOffer,
  ServerAnswer,
  ServerOk,
  ServerError,
  ServerStateUpdate,
  ServerChat,
  ServerReaction,
  ServerUnmuteRequest,
  ServerShareStopped,
  ServerBye,
]);
export type ServerMessage = Static<typeof ServerMessage>;
export type StateUpdate = Static<typeof ServerStateUpdate>['payload'];
