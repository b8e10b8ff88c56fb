import { EventEmitter } from 'node:events';
import { Compile } from 'typebox/compile';
import { Value } from 'typebox/value';
import WebSocket from 'ws';
import { MeetError } from '../../protocol/errors.ts';
import { HEARTBEAT_TIMEOUT_MS, ServerMessage } from '../../protocol/signaling.ts';
import { networkReason } from '../rest.ts';

/** Time for the TCP, TLS and WebSocket handshakes together. */
const HANDSHAKE_TIMEOUT_MS = 5_000;
/** A 1000-participant full update is 300 KB; what is a hundred times that is not a server of ours. */
const MAX_SERVER_MESSAGE_BYTES = 32 * 1024 * 1024;

interface ConnectionEvents {
  message: [message: ServerMessage];
  /** Comes exactly once. `code` is the WebSocket close code, 1006 when there was no close frame. */
  close: [info: { code: number; reason: string }];
}

/** One WebSocket to the server, from its handshake to its end. */
export class SignalingConnection extends EventEmitter<ConnectionEvents> {
  readonly #socket: WebSocket;
  #silence: NodeJS.Timeout | undefined;
  #closed = false;
  #closing: { code: number; reason: string } | undefined;

  private constructor(socket: WebSocket) {
    super();
    this.#socket = socket;
    // The server's first message comes with its handshake: nothing is read before somebody listens.
    socket.pause();
    socket.on('message', (data, isBinary) => this.#onMessage(data, isBinary));
    socket.on('ping', () => this.#alive());
    socket.on('pong', () => this.#alive());
    socket.on('error', () => {}); // 'close' follows and says all there is to say.
    socket.on('close', (code, reason) => this.#onClose(code, reason.toString()));
    this.#alive();
  }

  /**
   * @throws MeetError `server-unreachable`
   */
  static open(url: string, token: string, signal?: AbortSignal): Promise<SignalingConnection> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(url, {
        headers: { authorization: `Bearer ${token}` },
        handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
        maxPayload: MAX_SERVER_MESSAGE_BYTES,
        perMessageDeflate: false,
      });
      const abort = () => socket.terminate();
      signal?.addEventListener('abort', abort, { once: true });
      if (signal?.aborted) abort();
      const settled = () => {
        signal?.removeEventListener('abort', abort);
        socket.off('open', opened);
        socket.off('error', failed);
      };
      const opened = () => {
        settled();
        resolve(new SignalingConnection(socket));
      };
      const failed = (cause: Error) => {
        settled();
        socket.on('error', () => {});
        reject(
          new MeetError(
            'server-unreachable',
            `No signaling connection to ${new URL(url).host}: ${networkReason(cause)}.`,
            {
              cause,
            },
          ),
        );
      };
      socket.once('open', opened);
      socket.once('error', failed);
    });
  }

  /** Begins to read, once the events are listened to. */
  start(): void {
    this.#socket.resume();
  }

  send(message: object): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  /** Ends the connection; the close event says `code` and `reason` whatever the other side answers. */
  close(code: number, reason: string): void {
    if (this.#closed) return;
    this.#closing ??= { code, reason };
    this.#socket.close(code, reason);
  }

  /** Drops the connection without a close handshake, as a broken network does. */
  terminate(reason: string): void {
    if (this.#closed) return;
    this.#closing ??= { code: 1006, reason };
    this.#socket.terminate();
  }

  #alive(): void {
    clearTimeout(this.#silence);
    if (this.#closed) return;
    this.#silence = setTimeout(() => this.terminate('the server stopped answering'), HEARTBEAT_TIMEOUT_MS);
  }

  #onMessage(data: WebSocket.RawData, isBinary: boolean): void {
    this.#alive();
    const message = isBinary ? undefined : parse(String(data));
    if (message === undefined) this.close(4400, 'a message that does not fit the protocol');
    else this.emit('message', message);
  }

  #onClose(code: number, reason: string): void {
    clearTimeout(this.#silence);
    this.#closed = true;
    this.emit('close', this.#closing ?? { code, reason });
  }
}

let fits = (message: unknown): message is ServerMessage => Value.Check(ServerMessage, message);

/**
 * Compiles the schema of what comes, which takes longer than a participant's first messages and pays for itself where
 * a process holds many.
 */
export function expectManyMessages(): void {
  const compiled = Compile(ServerMessage);
  fits = (message): message is ServerMessage => compiled.Check(message);
}

function parse(text: string): ServerMessage | undefined {
  try {
    const message: unknown = JSON.parse(text);
    return fits(message) ? message : undefined;
  } catch {
    return undefined;
  }
}
