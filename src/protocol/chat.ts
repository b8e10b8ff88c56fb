/** Chat messages, files and reactions, as they cross the wire. Times are milliseconds since the epoch. */
import Type, { type Static } from 'typebox';

/** Most text of a message, bytes of UTF-8. */
export const MAX_CONTENT_BYTES = 16 * 1024;
/** Most messages in one answer or one notification. */
export const MAX_PAGE = 200;
/** Longest reaction in UTF-16 units: a family of four with skin tones is an emoji of 23. */
const MAX_REACTION_LENGTH = 32;

const OrNull = <T extends Type.TSchema>(type: T) => Type.Union([type, Type.Null()]);
const Id = Type.String({ minLength: 1, maxLength: 64 });

/** A file that was found free of viruses. */
export const FileInfo = Type.Object({
  id: Type.String(),
  /** As its sender calls it, without folders and control characters. */
  name: Type.String(),
  /** Bytes. */
  size: Type.Integer({ minimum: 0 }),
  /** Media type (RFC 6838) that its content was found to have. */
  contentType: Type.String(),
  createdAt: Type.Integer(),
  /** From then on nobody gets it any more. */
  expiresAt: Type.Integer(),
});
export type FileInfo = Static<typeof FileInfo>;

export const ChatMessage = Type.Object({
  id: Type.String(),
  /** 1 for a meeting's first message, then in order; who may not see a private message sees a gap. */
  sequence: Type.Integer({ minimum: 1 }),
  senderId: Type.String(),
  senderName: Type.String(),
  /** For whom alone it is; `null` is everyone. */
  recipientId: OrNull(Type.String()),
  recipientName: OrNull(Type.String()),
  /** Plain text, as it was sent: whoever shows it takes out what a terminal or page would act on. */
  content: Type.String(),
  /** Id of the message that this one answers. */
  replyTo: OrNull(Type.String()),
  file: OrNull(FileInfo),
  createdAt: Type.Integer(),
  /** What the sender's client called it. */
  clientId: OrNull(Type.String()),
});
export type ChatMessage = Static<typeof ChatMessage>;

/** What a participant sends. */
export const NewChatMessage = Type.Object(
  {
    /** At most {@link MAX_CONTENT_BYTES}; may be empty only with a file. */
    content: Type.String({ maxLength: MAX_CONTENT_BYTES }),
    recipientId: Type.Optional(Id),
    replyTo: Type.Optional(Id),
    fileId: Type.Optional(Id),
    /** Of the client's choosing: a second message of this participant with the same one is the first one again. */
    clientId: Type.Optional(Id),
  },
  { additionalProperties: false },
);
export type NewChatMessage = Static<typeof NewChatMessage>;

/** Which messages: the first ones after a number, or the last ones before one; without either the last ones. */
export const MessagesQuery = Type.Object(
  {
    after: Type.Optional(Type.Integer({ minimum: 0 })),
    before: Type.Optional(Type.Integer({ minimum: 1 })),
    /** 100 unless given. */
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_PAGE })),
  },
  { additionalProperties: false },
);
export type MessagesQuery = Static<typeof MessagesQuery>;

export const MessagesReply = Type.Object({
  /** In the order of their numbers. */
  messages: Type.Array(ChatMessage),
  /** There are others beyond these. */
  more: Type.Boolean(),
});
export type MessagesReply = Static<typeof MessagesReply>;

/** One emoji. */
export const Reaction = Type.String({ minLength: 1, maxLength: MAX_REACTION_LENGTH });

/** Where a file can be fetched for some minutes, by anyone who has the link. */
export const FileLink = Type.Object({
  file: FileInfo,
  url: Type.String(),
  urlExpiresAt: Type.Integer(),
});
export type FileLink = Static<typeof FileLink>;
