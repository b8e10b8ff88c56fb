/** The events of `meet … --json` as docs/PROTOCOL.md and docs/CLI.md promise them. */
import Type, { type TSchema } from 'typebox';
import { Value } from 'typebox/value';
import type { MeetEvent } from '../support/meet-process.ts';

const Kind = Type.Union([Type.Literal('audio'), Type.Literal('video')]);
const Milliseconds = Type.Number({ minimum: 0 });
const Count = Type.Integer({ minimum: 0 });
/** −1 for none. */
const Layer = Type.Integer({ minimum: -1 });
const Id = Type.String({ minLength: 1 });

/** Event name to its required fields, besides `event` and `at`. */
export const EVENTS: Readonly<Record<string, TSchema>> = {
  setup: Type.Object({ phase: Id, message: Id }),
  listening: Type.Object({ url: Type.String({ pattern: '^https?://' }), pid: Type.Integer({ minimum: 1 }) }),
  stopped: Type.Object({ reason: Type.String({ pattern: '^SIG' }) }),
  ready: Type.Object({ workerBin: Type.String({ pattern: '^/' }) }),
  check: Type.Object({
    name: Id,
    status: Type.Union([Type.Literal('ok'), Type.Literal('warning'), Type.Literal('failed')]),
    message: Id,
  }),
  joined: Type.Object({
    meetingId: Id,
    participantId: Id,
    ms: Type.Object({ api: Milliseconds, signaling: Milliseconds, ice: Milliseconds, dtls: Milliseconds }),
  }),
  participant: Type.Object({
    id: Id,
    name: Id,
    state: Type.Union(
      ['joining', 'waiting', 'joined', 'reconnecting', 'left'].map((state) => Type.Literal(state)),
    ),
  }),
  track: Type.Object({
    trackId: Id,
    participantId: Id,
    kind: Kind,
    source: Type.Union(
      ['camera', 'microphone', 'screen', 'screen-audio'].map((source) => Type.Literal(source)),
    ),
    codec: Type.Union(['opus', 'vp8', 'vp9', 'h264', 'av1'].map((codec) => Type.Literal(codec))),
  }),
  'first-media': Type.Object({ participantId: Id, kind: Kind, ms: Milliseconds }),
  stats: Type.Object({
    sent: Type.Object({
      packets: Count,
      bytes: Count,
      retransmitted: Count,
      tracks: Type.Array(
        Type.Object({ kind: Kind, layer: Count, active: Type.Boolean(), packets: Count, bytes: Count }),
      ),
    }),
    received: Type.Array(
      Type.Object({
        participantId: Id,
        kind: Kind,
        packets: Count,
        bytes: Count,
        lost: Count,
        jitterMs: Milliseconds,
        fps: Type.Number({ minimum: 0 }),
        width: Type.Optional(Type.Integer({ minimum: 1 })),
        height: Type.Optional(Type.Integer({ minimum: 1 })),
        layer: Type.Optional(Layer),
        temporalLayer: Type.Optional(Layer),
        reason: Type.Optional(
          Type.Union(
            ['asked', 'bandwidth', 'loss', 'not-visible', 'sender'].map((reason) => Type.Literal(reason)),
          ),
        ),
      }),
    ),
    rttMs: Type.Union([Milliseconds, Type.Null()]),
    estimate: Type.Union([Count, Type.Null()]),
    uplinkEstimate: Type.Union([Count, Type.Null()]),
  }),
  speakers: Type.Object({ participantIds: Type.Array(Id, { maxItems: 4 }) }),
  'audio-only': Type.Object({ audioOnly: Type.Boolean() }),
  'audio-slots': Type.Object({ slots: Type.Array(Type.Object({ slot: Count })) }),
  reconnecting: Type.Object({ reason: Id, attempt: Type.Integer({ minimum: 1 }) }),
  reconnected: Type.Object({ ms: Milliseconds }),
  left: Type.Object({
    reason: Type.Union(
      [
        'left',
        'ended',
        'removed',
        'replaced',
        'server-unreachable',
        'connection-failed',
        'token-expired',
        'failed',
        'interrupted',
      ].map((reason) => Type.Literal(reason)),
    ),
    message: Type.Optional(Id),
  }),
};

/** Everything in these events that is not as documented; empty when all is. */
export function eventFaults(events: readonly MeetEvent[]): string[] {
  return events.flatMap((event) => {
    const { event: name, at } = event;
    const schema = name === undefined ? undefined : EVENTS[name];
    if (schema === undefined) return [`${name} is not documented: ${JSON.stringify(event)}`];
    const atOk = typeof at === 'number' && Math.abs(at - Date.now()) < 3_600_000;
    return [
      ...(atOk ? [] : [`${name}: "at" is ${at}`]),
      ...Value.Errors(schema, event).map(
        ({ instancePath, message }) => `${name}${instancePath}: ${message} in ${JSON.stringify(event)}`,
      ),
    ];
  });
}
