/** The audit log of a meeting: every host action and every decision about access. */
import Type, { type Static } from 'typebox';
import { Role } from './model.ts';

const OrNull = <T extends Type.TSchema>(type: T) => Type.Union([type, Type.Null()]);

export const AuditEntry = Type.Object({
  /** Grows with each entry of the meeting. */
  id: Type.Integer({ minimum: 1 }),
  /** Milliseconds since the epoch. */
  at: Type.Integer(),
  /** Who did or tried it; all is `null` where it was the server itself, or nobody known. */
  actor: Type.Object({
    participantId: OrNull(Type.String()),
    userId: OrNull(Type.String()),
    name: OrNull(Type.String()),
    role: OrNull(Role),
    /** Where the request came from; of IPv6 the network. */
    address: OrNull(Type.String()),
  }),
  /** An action's name, or `create`, `join`, `wait`, `connect`, `update`. */
  action: Type.String(),
  target: OrNull(Type.Object({ participantId: Type.String(), name: OrNull(Type.String()) })),
  outcome: Type.Union([Type.Literal('allowed'), Type.Literal('refused')]),
  /** The error's code where it was refused. */
  code: OrNull(Type.String()),
  /** What else the action said, such as `{"block": true}`. */
  detail: OrNull(Type.Record(Type.String(), Type.Unknown())),
});
export type AuditEntry = Static<typeof AuditEntry>;

export const AuditQuery = Type.Object(
  {
    /** Entries after this one; from the first unless given. */
    after: Type.Optional(Type.Integer({ minimum: 0 })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000 })),
  },
  { additionalProperties: false },
);
export type AuditQuery = Static<typeof AuditQuery>;

export const AuditReply = Type.Object({
  entries: Type.Array(AuditEntry),
  /** There are others after these. */
  more: Type.Boolean(),
});
export type AuditReply = Static<typeof AuditReply>;
