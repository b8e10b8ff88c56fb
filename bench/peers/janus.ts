/** Janus with its videoroom plugin, as Debian has it, by its WebSocket API. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import WebSocket from 'ws';
import type { AnsweringConnection } from '../../src/client/peer/answering-connection.ts';
import { SubscribeConnection } from '../../src/client/peer/subscribe-connection.ts';
import { readSessionDescription } from '../../src/client/sdp/index.ts';
import type { SubscribedTrack } from '../../src/protocol/signaling.ts';
import { publishWith, receiveWith, whenConnected } from './bots.ts';
import type { PeerAdapter, PeerClient } from './types.ts';

/** Debian's folders of its plugins, by architecture. */
const LIBRARIES = ['/usr/lib/x86_64-linux-gnu/janus', '/usr/lib/aarch64-linux-gnu/janus'];
const KEEPALIVE_MS = 20_000;
const START_PATIENCE_MS = 10_000;
const MAX_PUBLISHERS = 50;

export const janusAdapter: PeerAdapter = {
  name: 'Janus',
  missing: () => {
    const there = spawnSync('sh', ['-c', 'command -v janus']).status === 0;
    if (!there) return 'the program "janus" is missing (package janus)';
    return LIBRARIES.some((folder) => existsSync(folder))
      ? undefined
      : 'its plugins are not where Debian has them';
  },
  start: async () => {
    const folder = await mkdtemp(join(tmpdir(), 'janus-'));
    const port = await freePort();
    await configure(folder, port);
    const child = spawn('janus', ['-F', folder], { stdio: 'ignore' });
    const address = `ws://127.0.0.1:${port}`;
    await untilListening(address, child);
    const control = await JanusSession.open(address);
    const handle = await control.attach();
    return {
      address,
      openRoom: async () => {
        const { room } = await control.message(handle, {
          request: 'create',
          publishers: MAX_PUBLISHERS,
          bitrate: 0,
          audiocodec: 'opus',
          videocodec: 'vp8',
          record: false,
        });
        return String(room);
      },
      // One process does everything, in threads.
      pids: async () => ({ all: [child.pid!], media: [child.pid!] }),
      close: async () => {
        control.close();
        child.kill();
        if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
        await rm(folder, { recursive: true, force: true });
      },
    };
  },
  connect: async (address) => new JanusClient(await JanusSession.open(address)),
};

async function configure(folder: string, port: number): Promise<void> {
  const library = LIBRARIES.find((path) => existsSync(path));
  const off = (names: string[]) => names.map((name) => `libjanus_${name}.so`).join(',');
  const plugins = off([
    'sip',
    'nosip',
    'lua',
    'duktape',
    'recordplay',
    'voicemail',
    'streaming',
    'audiobridge',
    'textroom',
    'videocall',
    'echotest',
  ]);
  const transports = off(['http', 'rabbitmq', 'mqtt', 'nanomsg', 'pfunix']);
  await writeFile(
    join(folder, 'janus.jcfg'),
    `general: {
  plugins_folder = "${library}/plugins"
  transports_folder = "${library}/transports"
  events_folder = "${library}/events"
  debug_level = 2
  interface = "127.0.0.1"
}
nat: { ice_enforce_list = "127.0.0.1", full_trickle = false, ice_lite = true }
plugins: { disable = "${plugins}" }
transports: { disable = "${transports}" }
`,
  );
  await writeFile(join(folder, 'janus.plugin.videoroom.jcfg'), '\n');
  await writeFile(
    join(folder, 'janus.transport.websockets.jcfg'),
    `general: { json = "compact", ws = true, ws_port = ${port}, ws_ip = "127.0.0.1", wss = false }
admin: { admin_ws = false, admin_wss = false }
`,
  );
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function untilListening(address: string, child: ChildProcess): Promise<void> {
  const deadline = performance.now() + START_PATIENCE_MS;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`Janus ended with ${child.exitCode}`);
    try {
      (await JanusSession.open(address)).close();
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

interface JanusMessage {
  readonly janus: string;
  readonly transaction?: string;
  readonly data?: { readonly id: number };
  readonly error?: { readonly reason: string };
  readonly jsep?: { readonly type: string; readonly sdp: string };
  readonly plugindata?: { readonly data: Record<string, unknown> & { readonly error?: string } };
}

type Reply = Record<string, unknown> & { readonly sdp?: string };

/** One session of Janus' WebSocket API; handles belong to it. */
class JanusSession {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<
    string,
    { resolve: (message: JanusMessage) => void; reject: (error: Error) => void }
  >();
  readonly #keepalive: NodeJS.Timeout;
  #session: number | undefined;
  #next = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => this.#take(JSON.parse(String(data)) as JanusMessage));
    this.#keepalive = setInterval(
      () => void this.#send({ janus: 'keepalive' }).catch(() => {}),
      KEEPALIVE_MS,
    );
  }

  static async open(address: string): Promise<JanusSession> {
    const socket = new WebSocket(address, 'janus-protocol');
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    const session = new JanusSession(socket);
    session.#session = (await session.#send({ janus: 'create' })).data!.id;
    return session;
  }

  #take(message: JanusMessage): void {
    const waiting = this.#waiting.get(message.transaction ?? '');
    // What a plugin has to say comes as an event after the acknowledgement.
    if (waiting === undefined || (message.janus === 'ack' && !message.transaction?.startsWith('k'))) return;
    this.#waiting.delete(message.transaction!);
    const error = message.error?.reason ?? message.plugindata?.data.error;
    if (error === undefined) waiting.resolve(message);
    else waiting.reject(new Error(`Janus: ${error}`));
  }

  #send(message: { readonly janus: string } & Record<string, unknown>): Promise<JanusMessage> {
    const transaction = `${message.janus === 'keepalive' ? 'k' : 't'}${this.#next++}`;
    const session = this.#session === undefined ? {} : { session_id: this.#session };
    return new Promise((resolve, reject) => {
      this.#waiting.set(transaction, { resolve, reject });
      this.#socket.send(JSON.stringify({ ...message, ...session, transaction }));
    });
  }

  async attach(): Promise<number> {
    return (await this.#send({ janus: 'attach', plugin: 'janus.plugin.videoroom' })).data!.id;
  }

  /** Asks the videoroom; gives what it answers, with the session description that came along. */
  async message(handle: number, body: object, jsep?: { type: string; sdp: string }): Promise<Reply> {
    const reply = await this.#send({
      janus: 'message',
      handle_id: handle,
      body,
      ...(jsep === undefined ? {} : { jsep }),
    });
    const sdp = reply.jsep?.sdp;
    return { ...reply.plugindata?.data, ...(sdp === undefined ? {} : { sdp }) };
  }

  async detach(handle: number): Promise<void> {
    await this.#send({ janus: 'detach', handle_id: handle }).catch(() => {});
  }

  close(): void {
    clearInterval(this.#keepalive);
    this.#socket.close();
  }
}

interface Feed {
  readonly id: number;
  readonly publisher: boolean;
}

class JanusClient implements PeerClient {
  readonly #session: JanusSession;

  constructor(session: JanusSession) {
    this.#session = session;
  }

  async publish(room: string, source: Parameters<PeerClient['publish']>[1]) {
    const handle = await this.#session.attach();
    const joined = await publishWith(`p${handle}`, source, async ({ sdp }) => {
      const body = { request: 'joinandconfigure', ptype: 'publisher', room: Number(room) };
      const reply = await this.#session.message(handle, body, { type: 'offer', sdp });
      return { sdp: reply.sdp ?? '', tracks: [] };
    });
    return {
      close: async () => {
        await joined.close();
        await this.#session.detach(handle);
      },
    };
  }

  async receive(room: string, figures: Parameters<PeerClient['receive']>[1]) {
    const { handle, sdp } = await this.#subscribe(room);
    const connection = await receiveWith(`r${handle}`, figures);
    const close = await this.#answer(handle, connection, sdp);
    return { connection, close };
  }

  async probe(room: string, onFrame: Parameters<PeerClient['probe']>[1]) {
    const { handle, sdp } = await this.#subscribe(room);
    const connection = await SubscribeConnection.create(`r${handle}`, {});
    connection.on('track', (track) => track.on('frame', onFrame));
    return { close: await this.#answer(handle, connection, sdp) };
  }

  async #subscribe(room: string): Promise<{ handle: number; sdp: string }> {
    const handle = await this.#session.attach();
    const list = await this.#session.message(handle, { request: 'listparticipants', room: Number(room) });
    const streams = (list.participants as Feed[])
      .filter(({ publisher }) => publisher)
      .map(({ id }) => ({ feed: id }));
    const body = { request: 'join', ptype: 'subscriber', room: Number(room), streams };
    const { sdp = '' } = await this.#session.message(handle, body);
    return { handle, sdp };
  }

  async #answer(
    handle: number,
    connection: AnsweringConnection,
    offer: string,
  ): Promise<() => Promise<void>> {
    const connected = whenConnected(connection);
    const { sdp, start } = await connection.answer(offer, tracksOf(offer));
    await this.#session.message(handle, { request: 'start' }, { type: 'answer', sdp });
    start();
    await connected;
    return async () => {
      connection.close();
      await this.#session.detach(handle);
    };
  }

  async close(): Promise<void> {
    this.#session.close();
  }
}

/** Janus says in other messages what each section carries; for counting, one track a section will do. */
function tracksOf(sdp: string): SubscribedTrack[] {
  return readSessionDescription(sdp).sections.map(({ mid, kind }) => ({
    mid,
    kind,
    trackId: mid,
    participantId: '',
    source: kind === 'audio' ? 'microphone' : 'camera',
  }));
}
