/** The STUN messages of ICE (RFC 8445 section 7): binding requests, their answers and how to read both. */
import { type StunMessage, weriftInternals } from './werift-internals.ts';

export interface IceCredentials {
  readonly usernameFragment: string;
  readonly password: string;
}

const BINDING = 1;
const REQUEST = 0;
const SUCCESS = 0x100;
const ERROR = 0x110;
/** The largest there is: in a role conflict the peer yields (RFC 8445 section 7.3.1.1). */
const TIE_BREAKER = 0xffff_ffff_ffff_ffffn;

export interface BindingRequest {
  readonly transactionId: string;
  readonly bytes: Buffer;
}

/** A connectivity or consent check of the controlling side; `nominate` selects the pair. */
export function bindingRequest(
  local: IceCredentials,
  remote: IceCredentials,
  options: { readonly nominate: boolean; readonly priority: number },
): BindingRequest {
  const { Message } = weriftInternals();
  const request = new Message(BINDING, REQUEST)
    .setAttribute('USERNAME', `${remote.usernameFragment}:${local.usernameFragment}`)
    .setAttribute('PRIORITY', options.priority)
    .setAttribute('ICE-CONTROLLING', TIE_BREAKER) as StunMessage;
  if (options.nominate) request.setAttribute('USE-CANDIDATE', null);
  request.addMessageIntegrity(Buffer.from(remote.password)).addFingerprint();
  return { transactionId: request.transactionIdHex, bytes: request.bytes };
}

export type StunPacket =
  | { readonly kind: 'success'; readonly transactionId: string }
  | { readonly kind: 'error'; readonly transactionId: string; readonly code: string }
  | { readonly kind: 'request'; readonly priority: number; readonly answer: Buffer };

/**
 * Reads a packet whose first byte is 0 to 3. `undefined` for anything that is malformed, not about ICE, or
 * not signed with the right password. An error answer needs no signature: a lite server that does not know
 * the user name cannot sign.
 */
export function readStun(
  packet: Buffer,
  local: IceCredentials,
  remote: IceCredentials | undefined,
  from: { readonly address: string; readonly port: number },
): StunPacket | undefined {
  const { parseMessage } = weriftInternals();
  const message = parseMessage(packet);
  if (message === undefined || message.messageMethod !== BINDING) return undefined;
  const transactionId = message.transactionIdHex;
  switch (Number(message.messageClass)) {
    case SUCCESS:
      if (remote === undefined || parseMessage(packet, Buffer.from(remote.password)) === undefined)
        return undefined;
      return { kind: 'success', transactionId };
    case ERROR:
      return { kind: 'error', transactionId, code: errorCode(message) };
    case REQUEST: {
      const userName: unknown = message.getAttributeValue('USERNAME');
      if (typeof userName !== 'string' || userName.split(':')[0] !== local.usernameFragment) return undefined;
      if (parseMessage(packet, Buffer.from(local.password)) === undefined) return undefined;
      const conflict = message.attributesKeys.includes('ICE-CONTROLLING');
      return {
        kind: 'request',
        priority: Number(message.getAttributeValue('PRIORITY') ?? 0),
        answer: answerTo(message, conflict, local, from),
      };
    }
    default:
      return undefined;
  }
}

function answerTo(
  request: StunMessage,
  conflict: boolean,
  local: IceCredentials,
  { address, port }: { readonly address: string; readonly port: number },
): Buffer {
  const { Message } = weriftInternals();
  const answer = new Message(BINDING, conflict ? ERROR : SUCCESS, request.transactionId);
  if (conflict) answer.setAttribute('ERROR-CODE', [487, 'Role Conflict']);
  else answer.setAttribute('XOR-MAPPED-ADDRESS', [address, port]);
  return answer.addMessageIntegrity(Buffer.from(local.password)).addFingerprint().bytes;
}

function errorCode(message: StunMessage): string {
  const code: unknown = message.getAttributeValue('ERROR-CODE');
  return Array.isArray(code) ? `${code[0]} ${code[1]}`.trim() : 'no reason given';
}
