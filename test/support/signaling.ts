/** A bare signaling client: every message it gets, in order, and requests by id. */
import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { CreateMeetingReply, JoinReply } from '../../src/protocol/rest.ts';
import type { ServerMessage, StateUpdate } from '../../src/protocol/signaling.ts';

/** `T` of the server's messages. */
export type Message<T extends ServerMessage['type']> = Extract<ServerMessage, { type: T }>;

interface Waiter {
  readonly test: (message: ServerMessage) => boolean;
  readonly resolve: (message: ServerMessage) => void;
  readonly reject: (error: Error) => void;
}

export class SignalingClient {
  readonly socket: WebSocket;
  /** Everything that came, oldest first. */
  readonly messages: ServerMessage[] = [];
  /** When the connection is over: the close code and reason. */
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly #waiters = new Set<Waiter>();
  #lastId = 0;
  #seen = 0;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data) => this.#receive(JSON.parse(data.toString()) as ServerMessage));
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => {
        for (const { reject } of this.#waiters) reject(new Error(`closed with ${code} ${reason}`));
        this.#waiters.clear();
        resolve({ code, reason: reason.toString() });
      });
    });
  }

  /** Connects; resolves when the WebSocket is open, whatever the server says then. */
  static async open(
    url: string,
    token?: string,
    options: { autoPong?: boolean; ca?: Buffer } = {},
  ): Promise<SignalingClient> {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const socket = new WebSocket(url, { headers, ...options });
    const client = new SignalingClient(socket);
    await once(socket, 'open');
    return client;
  }

  /** The next message, from where the last `next` left off, that passes the test. */
  async next<T extends ServerMessage['type']>(
    type: T,
    test: (message: Message<T>) => boolean = () => true,
  ): Promise<Message<T>> {
    const matches = (message: ServerMessage) => message.type === type && test(message as Message<T>);
    while (this.#seen < this.messages.length) {
      const message = this.messages[this.#seen++] as ServerMessage;
      if (matches(message)) return message as Message<T>;
    }
    const message = await new Promise<ServerMessage>((resolve, reject) => {
      if (this.socket.readyState === WebSocket.CLOSED) reject(new Error('closed'));
      this.#waiters.add({ test: matches, resolve, reject });
    });
    this.#seen = this.messages.indexOf(message) + 1;
    return message as Message<T>;
  }

  /** The next state-update that passes the test. */
  async state(test: (update: StateUpdate) => boolean = () => true): Promise<StateUpdate> {
    return (await this.next('state-update', ({ payload }) => test(payload))).payload;
  }

  /** Sends a request and waits for its reply, whatever else comes meanwhile. */
  request(
    type: string,
    payload: unknown = {},
    id = ++this.#lastId,
  ): Promise<Message<'ok' | 'answer' | 'error'>> {
    const replies = ['ok', 'answer', 'error'];
    return new Promise((resolve, reject) => {
      this.#waiters.add({
        test: (message) => replies.includes(message.type) && 'id' in message && message.id === id,
        resolve: (message) => resolve(message as Message<'ok' | 'answer' | 'error'>),
        reject,
      });
      this.send({ type, id, payload });
    });
  }

  send(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** Cuts the connection as a network does. */
  cut(): void {
    this.socket.terminate();
  }

  async leave(): Promise<void> {
    await this.request('leave');
    await this.closed;
  }

  #receive(message: ServerMessage): void {
    this.messages.push(message);
    for (const waiter of this.#waiters) {
      if (!waiter.test(message)) continue;
      this.#waiters.delete(waiter);
      waiter.resolve(message);
    }
  }
}

/** A REST call; the reply's body is not checked. */
export async function rest<T>(
  base: string,
  method: string,
  path: string,
  { body, token }: { body?: unknown; token?: string } = {},
): Promise<{ status: number; headers: Headers; body: T }> {
  const reply = await fetch(`${base}${path}`, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await reply.text();
  return {
    status: reply.status,
    headers: reply.headers,
    body: (text === '' ? undefined : JSON.parse(text)) as T,
  };
}

export async function createMeeting(base: string, body: unknown = {}): Promise<CreateMeetingReply> {
  return (await rest<CreateMeetingReply>(base, 'POST', '/meetings', { body })).body;
}

export async function join(
  base: string,
  meetingId: string,
  displayName: string,
  token?: string,
): Promise<JoinReply> {
  const options = { body: { displayName }, ...(token === undefined ? {} : { token }) };
  return (await rest<JoinReply>(base, 'POST', `/meetings/${meetingId}/join`, options)).body;
}

/** Someone in a meeting. */
export interface MeetingMember {
  readonly client: SignalingClient;
  readonly joined: JoinReply;
  /** The first state-update. */
  readonly state: StateUpdate;
  readonly meetingId: string;
  readonly id: string;
  readonly token: string;
}

/** Joins and connects; resolves with the first state-update received. */
export async function connect(
  base: string,
  meetingId: string,
  displayName: string,
  token?: string,
): Promise<MeetingMember> {
  const joined = await join(base, meetingId, displayName, token);
  const client = await SignalingClient.open(joined.signalingUrl, joined.token);
  const state = await client.state();
  return { client, joined, state, meetingId, id: joined.participant.id, token: joined.token };
}
