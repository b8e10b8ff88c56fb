import { EventEmitter } from 'node:events';
import { createDepacketizer } from '../../media/rtp/index.ts';
import type { AudioSlot, SubscribedTrack } from '../../protocol/signaling.ts';
import type { RtpReceiver } from '../rtp/receiver.ts';
import { RtpSession } from '../rtp/session.ts';
import {
  type ReadSession,
  readSessionDescription,
  type SdpSection,
  writeSessionDescription,
} from '../sdp/index.ts';
import type { LocalTransportParameters, TransportOptions, TransportState } from '../transport/types.ts';
import { MediaTransport } from '../transport/werift.ts';
import { knownExtensions } from './codecs.ts';
import { RemoteTrack } from './remote-track.ts';
import { answerSection, primaryCodec } from './subscribe-answer.ts';

export interface SubscribeEvents {
  state: [state: TransportState];
  track: [track: RemoteTrack];
  'track-ended': [track: RemoteTrack];
  /** The first connection is up. */
  connected: [timings: { iceMs: number; dtlsMs: number }];
  /** Connecting or moving to another path failed. */
  failed: [error: unknown];
}

/** A peer connection that receives what the server offers. */
export interface ReceivingConnection extends EventEmitter<SubscribeEvents> {
  readonly state: TransportState;
  /** As {@link SubscribeConnection.answer}. */
  answer(sdp: string, tracks: readonly SubscribedTrack[]): Promise<{ sdp: string; start: () => void }>;
  setSlots(slots: readonly AudioSlot[]): void;
  close(): void;
}

interface Receiving {
  readonly section: SdpSection;
  readonly track: RemoteTrack;
  receiver?: RtpReceiver;
}

/** The peer connection that receives: answers the server's offers and keeps the tracks in step with them. */
export class SubscribeConnection extends EventEmitter<SubscribeEvents> implements ReceivingConnection {
  readonly #transport: MediaTransport;
  readonly #cname: string;
  readonly #sessionId = Math.floor(Math.random() * Number.MAX_SAFE_INTEGER);
  readonly #receiving = new Map<string, Receiving>();
  #version = 0;
  #remoteUfrag: string | undefined;
  #local: LocalTransportParameters;
  #session: RtpSession | undefined;
  #slots: readonly AudioSlot[] = [];
  #closed = false;

  private constructor(transport: MediaTransport, cname: string) {
    super();
    this.#transport = transport;
    this.#local = transport.local;
    this.#cname = cname;
    transport.on('state', (state) => this.emit('state', state));
    transport.on('packet', (packet) => this.#session?.receive(packet));
  }

  static async create(cname: string, options: TransportOptions): Promise<SubscribeConnection> {
    return new SubscribeConnection(await MediaTransport.create(options), cname);
  }

  get state(): TransportState {
    return this.#transport.state;
  }

  get rttMs(): number | undefined {
    return this.#session?.rttMs;
  }

  get tracks(): RemoteTrack[] {
    return [...this.#receiving.values()].map(({ track }) => track);
  }

  /**
   * Takes an offer of the server and returns the answer. `start` begins what the answer makes possible; it is
   * to be called once the answer is sent, since the server drops a handshake whose fingerprint it does not
   * know yet.
   *
   * @throws MeetError `bad-sdp`
   */
  async answer(sdp: string, tracks: readonly SubscribedTrack[]): Promise<{ sdp: string; start: () => void }> {
    const offer = readSessionDescription(sdp);
    const start = await this.#prepareTransport(offer);
    this.#updateTracks(offer, tracks);
    const answer = writeSessionDescription({
      sessionId: this.#sessionId,
      version: this.#version++,
      local: this.#local,
      setup: 'active',
      sections: offer.sections.map(answerSection),
    });
    return { sdp: answer, start: start ?? (() => {}) };
  }

  /** Says who is heard in the audio slots, those to be offered later included. */
  setSlots(slots: readonly AudioSlot[]): void {
    this.#slots = slots;
    for (const { track } of this.#receiving.values()) {
      track.setOccupant(slots.find(({ slot }) => slot === track.slot));
    }
  }

  /** What to start once the answer is on its way: the first connection, or an ICE restart, or nothing. */
  async #prepareTransport({ transport }: ReadSession): Promise<(() => void) | undefined> {
    const known = this.#remoteUfrag;
    if (known === transport.usernameFragment) return undefined;
    this.#remoteUfrag = transport.usernameFragment;
    if (known === undefined) {
      return () => this.#run(this.#connect(transport));
    }
    this.#local = await this.#transport.restartIce();
    return () => this.#run(this.#transport.connectRestarted(transport));
  }

  #run(work: Promise<void>): void {
    work.catch((error: unknown) => {
      if (!this.#closed) this.emit('failed', error);
    });
  }

  async #connect(remote: ReadSession['transport']): Promise<void> {
    const { iceMs, dtlsMs, keys } = await this.#transport.connect({ ...remote, dtlsRole: 'client' });
    if (this.#closed) return;
    this.#session = new RtpSession({
      send: (packet) => this.#transport.send(packet),
      keys,
      cname: this.#cname,
    });
    for (const receiving of this.#receiving.values()) this.#receive(this.#session, receiving);
    this.emit('connected', { iceMs, dtlsMs });
  }

  #updateTracks(offer: ReadSession, tracks: readonly SubscribedTrack[]): void {
    const wanted = new Map(tracks.map((track) => [track.mid, track]));
    for (const [mid, receiving] of this.#receiving) {
      if (wanted.get(mid)?.trackId !== receiving.track.id) this.#end(mid, receiving);
    }
    for (const section of offer.sections) {
      const track = wanted.get(section.mid);
      const codec = primaryCodec(section);
      if (!track || !codec || section.direction === 'inactive' || this.#receiving.has(section.mid)) continue;
      const receiving: Receiving = { section, track: new RemoteTrack(track, codec.codec) };
      this.#receiving.set(section.mid, receiving);
      receiving.track.setOccupant(this.#slots.find(({ slot }) => slot === track.slot));
      if (this.#session) this.#receive(this.#session, receiving);
      this.emit('track', receiving.track);
    }
  }

  #receive(session: RtpSession, receiving: Receiving): void {
    const { section, track } = receiving;
    const stream = section.streams[0];
    const primary = primaryCodec(section);
    if (stream === undefined || primary === undefined) return;
    const feedback = new Set(primary.sdp.feedback);
    receiving.receiver = session.addReceiver({
      kind: section.kind,
      ssrc: stream.ssrc,
      ...(stream.rtxSsrc === undefined ? {} : { rtxSsrc: stream.rtxSsrc }),
      payloads: new Map([
        [
          primary.sdp.payloadType,
          {
            codec: primary.codec,
            clockRate: primary.sdp.clockRate,
            depacketizer: createDepacketizer(primary.codec),
          },
        ],
      ]),
      rtxPayloads: new Map(
        section.codecs
          .filter((codec) => codec.name === 'rtx')
          .map((codec) => [codec.payloadType, Number(codec.parameters.apt)]),
      ),
      nack: feedback.has('nack'),
      pli: feedback.has('nack pli'),
      transportCc: feedback.has('transport-cc'),
      extensions: knownExtensions(section.extensions),
    });
    track.attach(receiving.receiver);
  }

  #end(mid: string, { receiver, track }: Receiving): void {
    this.#receiving.delete(mid);
    if (receiver) this.#session?.removeReceiver(receiver);
    track.end();
    this.emit('track-ended', track);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const [mid, receiving] of this.#receiving) this.#end(mid, receiving);
    this.#session?.close();
    this.#transport.close();
  }
}
