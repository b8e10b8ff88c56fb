import { EventEmitter } from 'node:events';
import type { AudioSlot, SubscribedTrack } from '../../protocol/signaling.ts';
import {
  type ReadSession,
  readSessionDescription,
  type SdpSection,
  writeSessionDescription,
} from '../sdp/index.ts';
import type { LocalTransportParameters, SrtpKeys, TransportState } from '../transport/types.ts';
import type { MediaTransport } from '../transport/werift.ts';
import type { RemoteTrack } from './remote-track.ts';
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

/** What a section of the offer carries. */
export interface OfferedTrack {
  readonly section: SdpSection;
  readonly track: SubscribedTrack;
}

/**
 * A peer connection that receives: answers the server's offers and follows which section carries what. What becomes of
 * the packets is for those who extend it.
 */
export abstract class AnsweringConnection extends EventEmitter<SubscribeEvents> {
  protected readonly transport: MediaTransport;
  readonly #sessionId = Math.floor(Math.random() * Number.MAX_SAFE_INTEGER);
  readonly #offered = new Map<string, OfferedTrack>();
  #version = 0;
  #remoteUfrag: string | undefined;
  #local: LocalTransportParameters;
  #connected = false;
  #closed = false;

  protected constructor(transport: MediaTransport) {
    super();
    this.transport = transport;
    this.#local = transport.local;
    transport.on('state', (state) => this.emit('state', state));
    transport.on('packet', (packet) => this.onPacket(packet));
  }

  /** Any SRTP or SRTCP packet; may come before {@link onConnected} returned. */
  protected abstract onPacket(packet: Buffer): void;
  /** The path is there and the keys are known: what is offered begins to come. */
  protected abstract onConnected(keys: SrtpKeys): void;
  /** A track is new in the offer; the path may not be there yet. */
  protected abstract onOffered(offered: OfferedTrack): void;
  /** A track begins to come: it is in the offer, and the path is there. */
  protected abstract receive(offered: OfferedTrack): void;
  /** A track is no longer in the offer, or the connection is closed. */
  protected abstract onEnded(offered: OfferedTrack): void;
  /** Frees what {@link onConnected} made. */
  protected abstract onClosed(): void;
  /** Says who is heard in the audio slots, those to be offered later included. */
  abstract setSlots(slots: readonly AudioSlot[]): void;

  get state(): TransportState {
    return this.transport.state;
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

  /** What to start once the answer is on its way: the first connection, or an ICE restart, or nothing. */
  async #prepareTransport({ transport }: ReadSession): Promise<(() => void) | undefined> {
    const known = this.#remoteUfrag;
    if (known === transport.usernameFragment) return undefined;
    this.#remoteUfrag = transport.usernameFragment;
    if (known === undefined) return () => this.#run(this.#connect(transport));
    this.#local = await this.transport.restartIce();
    return () => this.#run(this.transport.connectRestarted(transport));
  }

  #run(work: Promise<void>): void {
    work.catch((error: unknown) => {
      if (!this.#closed) this.emit('failed', error);
    });
  }

  async #connect(remote: ReadSession['transport']): Promise<void> {
    const { iceMs, dtlsMs, keys } = await this.transport.connect({ ...remote, dtlsRole: 'client' });
    if (this.#closed) return;
    this.onConnected(keys);
    this.#connected = true;
    for (const offered of this.#offered.values()) this.receive(offered);
    this.emit('connected', { iceMs, dtlsMs });
  }

  #updateTracks(offer: ReadSession, tracks: readonly SubscribedTrack[]): void {
    const wanted = new Map(tracks.map((track) => [track.mid, track]));
    for (const [mid, offered] of this.#offered) {
      if (wanted.get(mid)?.trackId !== offered.track.trackId) this.#end(mid, offered);
    }
    for (const section of offer.sections) {
      const track = wanted.get(section.mid);
      if (!track || section.direction === 'inactive' || this.#offered.has(section.mid)) continue;
      if (primaryCodec(section) === undefined) continue;
      const offered = { section, track };
      this.#offered.set(section.mid, offered);
      this.onOffered(offered);
      if (this.#connected) this.receive(offered);
    }
  }

  #end(mid: string, offered: OfferedTrack): void {
    this.#offered.delete(mid);
    this.onEnded(offered);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const [mid, offered] of this.#offered) this.#end(mid, offered);
    this.onClosed();
    this.transport.close();
  }
}
