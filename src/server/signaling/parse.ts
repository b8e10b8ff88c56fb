/** From a text frame to a message that fits its schema. */
import {
  ClientAction,
  ClientAnswer,
  ClientChat,
  ClientError,
  ClientIceCandidate,
  ClientIceRestart,
  ClientLeave,
  type ClientMessage,
  ClientMessages,
  ClientOffer,
  ClientPing,
  ClientReaction,
  ClientStateUpdate,
  ClientSubscribe,
} from '../../protocol/signaling.ts';
import { type Checked, compileCheck } from '../validation.ts';

type MessageType = ClientMessage['type'];

const checks: { readonly [T in MessageType]: (value: unknown) => Checked<ClientMessage> } = {
  offer: compileCheck(ClientOffer, 'The offer'),
  answer: compileCheck(ClientAnswer, 'The answer'),
  'ice-candidate': compileCheck(ClientIceCandidate, 'The candidate'),
  subscribe: compileCheck(ClientSubscribe, 'The subscription'),
  'ice-restart': compileCheck(ClientIceRestart, 'The ICE restart'),
  'state-update': compileCheck(ClientStateUpdate, 'The state update'),
  message: compileCheck(ClientChat, 'The message'),
  messages: compileCheck(ClientMessages, 'The query'),
  reaction: compileCheck(ClientReaction, 'The reaction'),
  action: compileCheck(ClientAction, 'The action'),
  ping: compileCheck(ClientPing, 'The ping'),
  leave: compileCheck(ClientLeave, 'The leave'),
  error: compileCheck(ClientError, 'The error'),
};

export type Parsed =
  | { readonly message: ClientMessage }
  /** `id` is that of the request which cannot be understood, where it has one. */
  | { readonly problem: string; readonly id?: number };

/** Never throws. */
export function parseMessage(text: string): Parsed {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: 'The message is not JSON.' };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { problem: 'The message is not a JSON object.' };
  }
  const { type, id } = value as { type?: unknown; id?: unknown };
  // The id of an answer or error is one of the server's own, so that it would be mistaken for one of the client's.
  const known = Number.isSafeInteger(id) && (id as number) > 0 && type !== 'answer' && type !== 'error';
  const withId = known ? { id: id as number } : {};
  if (typeof type !== 'string' || !Object.hasOwn(checks, type)) {
    return {
      problem: `There is no message type ${JSON.stringify(type)?.slice(0, 40) ?? 'undefined'}.`,
      ...withId,
    };
  }
  const checked = checks[type as MessageType](value);
  return 'value' in checked ? { message: checked.value } : { problem: checked.problem, ...withId };
}
