/** One WebSocket of a participant: frames in, checked messages out, and the end of those that misbehave or die. */
import { EventEmitter } from 'node:events';
import type { RawData, WebSocket } from 'ws';
import { type ErrorCode, MeetError } from '../../protocol/errors.ts';
import { CLOSE, type ClientMessage, type ServerMessage } from '../../protocol/signaling.ts';
import type { ServerLogger, SignalingTimings } from '../config.ts';
import { parseMessage } from './parse.ts';
import { type BucketRate, TokenBucket } from './rate.ts';

/** A client that renegotiates as fast as it can stays below a tenth of it. */
const MESSAGE_RATE: BucketRate = { perSecond: 100, burst: 200 };
/** A client with a bug may send a few; one that sends this many will not get better. */
const MAX_BAD_MESSAGES = 20;
/** Receivers that are this far behind are dropped and may resume, rather than fill the server's memory. */
export const MAX_BUFFERED_BYTES = 4 * 1024 * 1024;
/** RFC 6455 section 7.4.1: a reason has at most 123 bytes. */
const MAX_REASON_BYTES = 123;

export interface ConnectionEvents {
  message: [message: ClientMessage, text: string];
  /** Once, as soon as either side ends it; nothing comes after it. */
  closed: [info: { code: number; reason: string }];
}

/** `error` as it goes over the wire; what went wrong inside is not told. */
export function errorMessage(error: unknown, id?: number): ServerMessage {
  const { code, message, hint, retryAfter } = MeetError.from(error);
  const payload =
    code === 'internal'
      ? { code, message: 'Something went wrong in the server.' }
      : {
          code,
          message,
          ...(hint === undefined ? {} : { hint }),
          ...(retryAfter === undefined ? {} : { retryAfter }),
        };
  return { type: 'error', ...(id === undefined ? {} : { id }), payload };
}

export class Connection extends EventEmitter<ConnectionEvents> {
  readonly #socket: WebSocket;
  readonly #timings: SignalingTimings;
  readonly #logger: ServerLogger;
  readonly #messages = new TokenBucket(MESSAGE_RATE);
  readonly #pings: NodeJS.Timeout;
  #deadline: NodeJS.Timeout | undefined;
  #lastSeen = performance.now();
  #badMessages = 0;
  #closed = false;

  /** Listens at once; the caller must add its listeners in the same tick. */
  constructor(socket: WebSocket, options: { timings: SignalingTimings; logger: ServerLogger }) {
    super();
    this.#socket = socket;
    this.#timings = options.timings;
    this.#logger = options.logger;
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    socket.on('ping', () => this.#seen());
    socket.on('pong', () => this.#seen());
    // ws closes the socket itself after an error (1009 for a message that is too long, 1002, 1007).
    socket.on('error', (error) => this.#logger.debug({ err: error }, 'Signaling socket failed'));
    socket.on('close', (code, reason) => this.#ended(code, reason.toString()));
    this.#pings = setInterval(() => socket.ping(), options.timings.heartbeatIntervalMs);
    this.#armDeadline(options.timings.heartbeatTimeoutMs);
  }

  get closed(): boolean {
    return this.#closed;
  }

  send(message: ServerMessage): void {
    void this.sendText(JSON.stringify(message));
  }

  /** Sends what is serialised already; resolves when it has left, or never will. */
  async sendText(text: string): Promise<void> {
    if (this.#closed) return;
    if (this.#socket.bufferedAmount > MAX_BUFFERED_BYTES) {
      this.#logger.warn({ buffered: this.#socket.bufferedAmount }, 'Signaling client is too slow');
      this.close(CLOSE.heartbeatTimeout, 'The client takes messages too slowly.');
      return;
    }
    await new Promise<void>((resolve) => {
      this.#socket.send(text, (error) => {
        if (error) this.#logger.debug({ err: error }, 'Signaling message not sent');
        resolve();
      });
    });
  }

  /** Says why, then closes. */
  refuse(code: ErrorCode, message: string, closeCode: number): void {
    this.send(errorMessage(new MeetError(code, message)));
    this.close(closeCode, message);
  }

  close(code: number, reason: string): void {
    if (this.#closed) return;
    this.#socket.close(code, Buffer.from(reason).subarray(0, MAX_REASON_BYTES).toString());
    this.#ended(code, reason);
  }

  /** Cuts it without a closing handshake. */
  terminate(): void {
    this.#socket.terminate();
  }

  #ended(code: number, reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#pings);
    clearTimeout(this.#deadline);
    this.emit('closed', { code, reason });
  }

  #seen(): void {
    this.#lastSeen = performance.now();
  }

  #armDeadline(ms: number): void {
    this.#deadline = setTimeout(() => {
      // After a pause of the whole process what came meanwhile is still unread; it is read before this runs.
      setImmediate(() => this.#checkDeadline());
    }, ms);
  }

  #checkDeadline(): void {
    if (this.#closed) return;
    const left = this.#lastSeen + this.#timings.heartbeatTimeoutMs - performance.now();
    if (left > 0) this.#armDeadline(Math.max(1, left));
    else this.refuse('heartbeat-timeout', 'The client stopped answering heartbeats.', CLOSE.heartbeatTimeout);
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (this.#closed) return;
    this.#seen();
    if (!this.#messages.take()) {
      this.refuse('rate-limited', 'Too many signaling messages.', CLOSE.rateLimited);
      return;
    }
    if (isBinary) {
      this.#bad('Messages are text frames, not binary ones.');
      return;
    }
    const text = data.toString();
    const parsed = parseMessage(text);
    if ('message' in parsed) this.emit('message', parsed.message, text);
    else this.#bad(parsed.problem, parsed.id);
  }

  #bad(problem: string, id?: number): void {
    this.#badMessages += 1;
    this.send(errorMessage(new MeetError('bad-message', problem), id));
    if (this.#badMessages > MAX_BAD_MESSAGES) {
      this.close(CLOSE.badMessage, `More than ${MAX_BAD_MESSAGES} messages could not be understood.`);
    }
  }
}
