import { EventEmitter } from 'node:events';
import { connect, type Socket } from 'node:net';
import { MeetError } from '../../../protocol/errors.ts';
import { type Cookie, FIRST_PORT, parseDisplay, readCookie } from './display.ts';

/** The only width of a reply's head, of an error and of an event (X protocol, section 1). */
const HEAD = 32;
/** A display that does not answer is none, milliseconds. */
const ANSWER_TIMEOUT_MS = 5_000;
const LITTLE_ENDIAN = 0x6c;
const REPLY = 1;
const ERROR = 0;

interface X11Events {
  /** 32 bytes; the first is the kind. */
  event: [event: Buffer];
  /** The server is gone, or has sent us away. */
  closed: [];
}

export interface X11Root {
  readonly id: number;
  /** Where the ids of what this client makes begin. */
  readonly idBase: number;
  readonly width: number;
  readonly height: number;
}

/** A connection to an X server that asks and listens; drawing and grabbing are others' business. */
export class X11Connection extends EventEmitter<X11Events> {
  readonly name: string;
  readonly root: X11Root;
  readonly #socket: Socket;
  readonly #waiting = new Map<number, PromiseWithResolvers<Buffer>>();
  #sequence = 0;
  #pending: Buffer;
  #closed = false;

  private constructor(name: string, socket: Socket, root: X11Root, rest: Buffer) {
    super();
    this.name = name;
    this.root = root;
    this.#socket = socket;
    this.#pending = rest;
    socket.on('data', (data: Buffer) => {
      this.#pending = this.#pending.length === 0 ? data : Buffer.concat([this.#pending, data]);
      this.#read();
    });
    socket.on('close', () => this.#end());
  }

  /**
   * @param display such as `:0`
   * @throws MeetError `bad-config` for what is no display, `device-unusable` where none listens or lets us in
   */
  static async open(display: string, xauthority?: string): Promise<X11Connection> {
    const address = parseDisplay(display);
    const cookie = await readCookie(address, xauthority);
    const socket =
      address.host === undefined
        ? connect(`/tmp/.X11-unix/X${address.number}`)
        : connect(FIRST_PORT + address.number, address.host);
    socket.on('error', () => {});
    const late = setTimeout(() => socket.destroy(), ANSWER_TIMEOUT_MS);
    try {
      const { root, rest } = await handshake(socket, address.screen, cookie);
      return new X11Connection(display, socket, root, rest);
    } catch (cause) {
      socket.destroy();
      const reason = cause instanceof Refusal ? ` It says: ${cause.message}.` : '';
      throw new MeetError('device-unusable', `The display ${display} cannot be used.${reason}`, {
        cause,
        hint: reason
          ? 'Share as the user whose desktop it is, or give that user’s XAUTHORITY.'
          : 'Give the display that a desktop or Xvfb runs on with --display; `echo $DISPLAY` there shows it.',
      });
    } finally {
      clearTimeout(late);
    }
  }

  /** Sends a request that has a reply. Rejects when the server refuses it. */
  ask(opcode: number, detail: number, ...words: readonly Buffer[]): Promise<Buffer> {
    const waiting = Promise.withResolvers<Buffer>();
    if (this.#closed) waiting.reject(new Error('The display is gone'));
    else this.#waiting.set(this.#send(opcode, detail, words), waiting);
    return waiting.promise;
  }

  /** Sends a request that has none. */
  tell(opcode: number, detail: number, ...words: readonly Buffer[]): void {
    if (!this.#closed) this.#send(opcode, detail, words);
  }

  close(): void {
    this.removeAllListeners();
    this.#socket.destroy();
    this.#end();
  }

  #send(opcode: number, detail: number, words: readonly Buffer[]): number {
    const content = Buffer.concat(words);
    const padded = Math.ceil(content.length / 4) * 4;
    const request = Buffer.alloc(4 + padded);
    request[0] = opcode;
    request[1] = detail;
    request.writeUInt16LE(1 + padded / 4, 2);
    content.copy(request, 4);
    this.#socket.write(request);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    return this.#sequence;
  }

  #read(): void {
    while (this.#pending.length >= HEAD) {
      const kind = this.#pending[0];
      const size = HEAD + (kind === REPLY ? this.#pending.readUInt32LE(4) * 4 : 0);
      if (this.#pending.length < size) return;
      const message = this.#pending.subarray(0, size);
      this.#pending = this.#pending.subarray(size);
      if (kind !== REPLY && kind !== ERROR) {
        this.emit('event', message);
        continue;
      }
      const sequence = message.readUInt16LE(2);
      const waiting = this.#waiting.get(sequence);
      this.#waiting.delete(sequence);
      if (kind === REPLY) waiting?.resolve(message);
      else waiting?.reject(new Error(`The X server refuses a request with error ${message[1]}`));
    }
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const { reject } of this.#waiting.values()) reject(new Error('The display is gone'));
    this.#waiting.clear();
    this.emit('closed');
  }
}

/** The server's own words for not letting us in. */
class Refusal extends Error {}

function handshake(socket: Socket, screen: number, cookie: Cookie | undefined) {
  const { promise, resolve, reject } = Promise.withResolvers<{ root: X11Root; rest: Buffer }>();
  let received: Buffer = Buffer.alloc(0);
  const onData = (data: Buffer) => {
    received = Buffer.concat([received, data]);
    if (received.length < 8) return;
    const size = 8 + received.readUInt16LE(6) * 4;
    if (received.length < size) return;
    socket.off('data', onData);
    if (received[0] === 1) {
      try {
        resolve({ root: rootOf(received, screen), rest: Buffer.from(received.subarray(size)) });
      } catch (error) {
        reject(error as Error);
      }
      return;
    }
    const words = received.subarray(8, received[0] === 0 ? 8 + received[1]! : size);
    reject(
      new Refusal(
        words
          .toString('latin1')
          .replaceAll(/[^ -~]+/g, ' ')
          .trim(),
      ),
    );
  };
  socket.on('data', onData);
  socket.once('close', () => reject(new Error('Nothing listens there')));
  const name = Buffer.from(cookie?.name ?? '', 'latin1');
  const data = cookie?.data ?? Buffer.alloc(0);
  const head = Buffer.alloc(12);
  head[0] = LITTLE_ENDIAN;
  head.writeUInt16LE(11, 2);
  head.writeUInt16LE(name.length, 6);
  head.writeUInt16LE(data.length, 8);
  socket.write(Buffer.concat([head, pad(name), pad(data)]));
  return promise;
}

function pad(data: Buffer): Buffer {
  return Buffer.concat([data, Buffer.alloc((4 - (data.length % 4)) % 4)]);
}

/** The root window of a screen out of the server's greeting (X protocol, section 8). */
function rootOf(greeting: Buffer, screen: number): X11Root {
  const vendor = greeting.readUInt16LE(24);
  const screens = greeting[28]!;
  const formats = greeting[29]!;
  if (screen >= screens) throw new Refusal(`there is no screen ${screen}`);
  let at = 40 + Math.ceil(vendor / 4) * 4 + formats * 8;
  for (let index = 0; index < screen; index += 1) {
    const depths = greeting[at + 39]!;
    at += 40;
    for (let depth = 0; depth < depths; depth += 1) at += 8 + greeting.readUInt16LE(at + 2) * 24;
  }
  return {
    id: greeting.readUInt32LE(at),
    idBase: greeting.readUInt32LE(12),
    width: greeting.readUInt16LE(at + 20),
    height: greeting.readUInt16LE(at + 22),
  };
}
