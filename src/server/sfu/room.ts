/** One meeting on the SFU. Which router a peer uses is decided here and nowhere else. */
import { EventEmitter } from 'node:events';
import type { Router } from 'mediasoup/types';
import { MeetError } from '../../protocol/errors.ts';
import type { AudioSlot } from '../../protocol/signaling.ts';
import { RoomAudio } from './audio/room-audio.ts';
import { negotiable } from './codecs.ts';
import { SfuPeer } from './peer.ts';
import { INITIAL_BITRATE } from './quality/receiver-quality.ts';
import { RoomQuality } from './quality/room-quality.ts';
import type { PeerHost, Route, Track } from './route.ts';
import type { Peer, PublishRule, Room, RoomEvents, SfuLogger } from './types.ts';
import type { MediaWorker } from './worker.ts';
import type { WorkerPool } from './workers.ts';

/** Seconds without ICE consent (RFC 7675) after which the path counts as cut; it may come back later. */
const ICE_CONSENT_TIMEOUT = 30;
/** A worker may die between being chosen and having the router. */
const PLACEMENT_TRIES = 5;

export interface RoomOptions {
  readonly pool: WorkerPool;
  readonly logger: SfuLogger;
}

export class SfuRoom extends EventEmitter<RoomEvents> implements Room, PeerHost {
  readonly id: string;
  readonly logger: SfuLogger;
  readonly #pool: WorkerPool;
  readonly #peers = new Map<string, SfuPeer>();
  readonly #audio: RoomAudio;
  readonly quality: RoomQuality;
  readonly #onLost = (worker: MediaWorker): void => this.#workerLost(worker);
  #placed: { worker: MediaWorker; router: Router } | undefined;
  #placement: Promise<Route> | undefined;
  #onClosed: (() => void) | undefined;
  #closed = false;

  private constructor(id: string, { pool, logger }: RoomOptions) {
    super();
    this.id = id;
    this.logger = logger;
    this.#pool = pool;
    this.#audio = new RoomAudio(logger);
    this.quality = new RoomQuality({
      logger,
      onUpdate: (peerId, update) => {
        if (update.videos !== undefined) this.emit('layers-switched', update.videos.length);
        this.#peers.get(peerId)?.emit('personal', update);
      },
    });
    this.#audio.on('speakers', (peerIds) => {
      this.quality.setSpeakers(peerIds);
      this.emit('speakers', peerIds);
    });
    this.#audio.on('slots', (slots) => this.emit('audioSlots', slots));
    this.#audio.on('mode', () => this.#offerToAll());
    this.#audio.on('occupant', (slot, before) => {
      for (const peerId of new Set([before?.peerId, slot.slot.occupant?.peerId])) {
        if (peerId !== undefined) this.#peers.get(peerId)?.audioSlotChanged(slot);
      }
    });
    pool.on('lost', this.#onLost);
  }

  /** @throws MeetError `worker-died` when no worker is alive for too long, `server-stopping` */
  static async create(id: string, options: RoomOptions): Promise<SfuRoom> {
    const room = new SfuRoom(id, options);
    try {
      await room.route();
      return room;
    } catch (error) {
      room.close();
      throw error;
    }
  }

  get speakers(): readonly string[] {
    return this.#audio.speakers;
  }

  get audioSlots(): readonly AudioSlot[] {
    return this.#audio.slotInfo;
  }

  get peers(): Iterable<Peer> {
    return this.#peers.values();
  }

  addPeer(id: string, rule: PublishRule = () => 'send'): Peer {
    if (this.#closed) throw new MeetError('meeting-ended', 'The meeting has ended.');
    if (this.#peers.has(id)) throw new MeetError('internal', `Peer ${id} is in the room already.`);
    const peer = new SfuPeer(id, this, rule);
    this.#peers.set(id, peer);
    return peer;
  }

  route(): Promise<Route> {
    if (this.#closed) return Promise.reject(new MeetError('meeting-ended', 'The meeting has ended.'));
    if (this.#placement === undefined) {
      const placement = this.#place();
      this.#placement = placement;
      // The next one to ask tries again.
      placement.catch(() => {
        if (this.#placement === placement) this.#placement = undefined;
      });
    }
    return this.#placement;
  }

  tracksOfOthers(peerId: string, allAudio: boolean): Track[] {
    const tracks = [...this.#peers.values()].flatMap((peer) => (peer.id === peerId ? [] : peer.published));
    const slots = allAudio ? undefined : this.#audio.slotTracks;
    return slots === undefined ? tracks : [...slots, ...tracks.filter(({ kind }) => kind !== 'audio')];
  }

  tracksChanged(peerId: string): void {
    if (this.#closed) return;
    const tracks = [...this.#peers.values()].flatMap(({ published }) => published);
    this.quality.update(tracks);
    const modeChanged = this.#audio.update(tracks);
    this.#offerToAll(modeChanged ? undefined : peerId);
  }

  #offerToAll(except?: string): void {
    for (const peer of this.#peers.values()) if (peer.id !== except) peer.tracksOfOthersChanged();
  }

  mediaConnected(ms: number): void {
    this.emit('media-connected', ms);
  }

  peerClosed(peerId: string): void {
    if (this.#peers.delete(peerId)) this.tracksChanged(peerId);
  }

  onClosed(listener: () => void): void {
    this.#onClosed = listener;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#pool.off('lost', this.#onLost);
    for (const peer of [...this.#peers.values()]) peer.close();
    this.quality.close();
    this.#leaveWorker();
    this.#onClosed?.();
  }

  async #place(): Promise<Route> {
    for (let attempt = 1; ; attempt++) {
      const worker = await this.#pool.acquire();
      try {
        const router = await worker.createRouter();
        if (this.#closed || router.closed) {
          router.close();
          throw new MeetError('worker-died', 'The room was closed or its worker died while it was created.');
        }
        this.#placed = { worker, router };
        this.#audio.place(router);
        return routeThrough(worker, router);
      } catch (error) {
        worker.rooms--;
        if (this.#closed) throw new MeetError('meeting-ended', 'The meeting has ended.', { cause: error });
        if (attempt < PLACEMENT_TRIES && !worker.alive) continue;
        throw MeetError.from(error);
      }
    }
  }

  #workerLost(worker: MediaWorker): void {
    if (this.#placed?.worker !== worker) return;
    this.#leaveWorker();
    for (const peer of this.#peers.values()) peer.reset();
    // A live worker is looked for at once, not when the first participant comes back.
    this.route().catch((error: unknown) => {
      this.logger.warn({ room: this.id, err: error }, 'room has no worker');
    });
    this.emit('reset', { reason: 'worker-died' });
  }

  #leaveWorker(): void {
    this.#placement = undefined;
    this.#audio.displace();
    if (this.#placed === undefined) return;
    this.#placed.worker.rooms--;
    this.#placed.router.close();
    this.#placed = undefined;
  }
}

function routeThrough(worker: MediaWorker, router: Router): Route {
  return {
    capabilities: negotiable(router.rtpCapabilities),
    get alive() {
      return !router.closed;
    },
    async createTransport() {
      const transport = await router.createWebRtcTransport({
        webRtcServer: worker.webRtcServer,
        enableUdp: true,
        enableTcp: true,
        preferUdp: true,
        initialAvailableOutgoingBitrate: INITIAL_BITRATE,
        iceConsentTimeout: ICE_CONSENT_TIMEOUT,
      });
      worker.connections++;
      transport.observer.once('close', () => {
        worker.connections--;
      });
      return transport;
    },
    producerOf: (track) => Promise.resolve(track.producer.id),
  };
}
