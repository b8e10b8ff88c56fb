/**
 * The audio slots of a large meeting: streams of ours that receivers get instead of everybody's audio. A consumer cannot
 * change its producer, so each slot is a producer of its own whose packets are those of one speaker after the other.
 */
import { EventEmitter } from 'node:events';
import type { DirectTransport, Producer, Router, RtpParameters } from 'mediasoup/types';
import type { AudioSlot } from '../../../protocol/signaling.ts';
import { codecName, negotiable } from '../codecs.ts';
import type { SlotOccupant, Track } from '../route.ts';
import { type AudioPacket, readAudioPacket } from './rtp-header.ts';
import { SlotAssigner, VOICE_DBOV } from './slot-assigner.ts';
import { SlotStream } from './slot-stream.ts';
import { AudioTaps } from './taps.ts';

/** Most voices that a receiver gets at once: beyond four nobody understands anything. */
export const AUDIO_SLOTS = 4;
/** How often silence is looked for. */
const REVIEW_INTERVAL_MS = 1_000;
/** A sender whose clock jumps all the time is not to cost everybody a message each time. */
const LEAST_TOLD_INTERVAL_MS = 1_000;
/** Opus packets of up to this many bytes are DTX or comfort noise. */
const DTX_BYTES = 3;
/** What a packet counts for whose sender does not negotiate RFC 6464: voice, and weaker than any other voice. */
const UNKNOWN_LEVEL = VOICE_DBOV;
const SILENCE_DBOV = -127;

const LEVEL_EXTENSION = 'urn:ietf:params:rtp-hdrext:ssrc-audio-level';
const CAPTURE_TIME_EXTENSION = 'http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time';

/** A slot, as the track that receivers consume. */
export interface SlotTrack extends Track {
  readonly slot: { readonly index: number; occupant: SlotOccupant | undefined };
}

interface Slot {
  readonly track: SlotTrack;
  readonly stream: SlotStream;
  /** As last told, and when. */
  info: AudioSlot;
  toldAt: number;
}

export interface AudioSlotsEvents {
  /**
   * The slot has another occupant, none of whose packets has been sent yet: whoever is to hear or not to hear it is to be
   * told the worker before this returns.
   */
  occupant: [track: SlotTrack, before: SlotOccupant | undefined];
  /** For everybody to know. */
  changed: [slots: readonly AudioSlot[]];
}

export class AudioSlots extends EventEmitter<AudioSlotsEvents> {
  readonly #transport: DirectTransport;
  readonly #slots: readonly Slot[];
  readonly #assigner = new SlotAssigner(AUDIO_SLOTS);
  readonly #taps: AudioTaps;
  readonly #tracks = new Map<string, Track>();
  readonly #timer: NodeJS.Timeout;
  #closed = false;

  private constructor(transport: DirectTransport, router: Router, producers: readonly Producer[]) {
    super();
    this.#transport = transport;
    const now = performance.now();
    this.#slots = producers.map((producer, index) => ({
      track: {
        id: `slot-${index}`,
        peerId: '',
        kind: 'audio',
        source: 'microphone',
        producer,
        slot: { index, occupant: undefined },
      },
      stream: new SlotStream(producer.rtpParameters.encodings![0]!.ssrc!, now),
      info: { slot: index, participantId: null, trackId: null },
      toldAt: -Infinity,
    }));
    const ids = extensionIds(producers[0]!.rtpParameters);
    this.#taps = new AudioTaps(transport, negotiable(router.rtpCapabilities), (trackId, packet) => {
      const read = readAudioPacket(packet, ids);
      if (read !== undefined) this.#packet(trackId, packet, read);
    });
    this.#timer = setInterval(() => this.#review(), REVIEW_INTERVAL_MS);
    transport.observer.once('close', () => this.close());
  }

  /** @throws when the router closes meanwhile. */
  static async create(router: Router): Promise<AudioSlots> {
    const transport = await router.createDirectTransport();
    try {
      const producers = await Promise.all(
        Array.from({ length: AUDIO_SLOTS }, (_, index) =>
          transport.produce({ kind: 'audio', rtpParameters: slotParameters(router, index) }),
        ),
      );
      return new AudioSlots(transport, router, producers);
    } catch (error) {
      transport.close();
      throw error;
    }
  }

  get tracks(): readonly SlotTrack[] {
    return this.#slots.map(({ track }) => track);
  }

  get info(): readonly AudioSlot[] {
    return this.#slots.map(({ info }) => info);
  }

  /** Lets these tracks be heard, and no others. */
  listen(tracks: readonly Track[]): void {
    const wanted = new Set(tracks.map(({ id }) => id));
    for (const id of [...this.#tracks.keys()]) if (!wanted.has(id)) this.remove(id);
    for (const track of tracks) {
      if (this.#tracks.has(track.id)) continue;
      this.#tracks.set(track.id, track);
      this.#taps.add(track);
    }
  }

  /** The worker's level observer hears these; those that are parked are looked at again. */
  heard(trackIds: Iterable<string>): void {
    for (const id of trackIds) this.#taps.wake(id);
  }

  /** Takes the slot from a track that was muted; it may get one again. */
  silence(trackId: string): void {
    if (this.#assigner.remove(trackId, performance.now())) this.#update();
  }

  remove(trackId: string): void {
    this.#tracks.delete(trackId);
    this.#taps.remove(trackId);
    this.silence(trackId);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    this.#taps.close();
    this.#transport.close();
  }

  #packet(trackId: string, packet: Buffer, read: AudioPacket): void {
    const source = this.#tracks.get(trackId);
    // What is still on its way when somebody mutes himself is not heard.
    if (source === undefined || source.producer.paused || source.producer.closed || this.#closed) return;
    const now = performance.now();
    const level = read.payloadLength <= DTX_BYTES ? SILENCE_DBOV : (read.level ?? UNKNOWN_LEVEL);
    const index = this.#assigner.packet(trackId, level, now, source.source === 'screen-audio');
    if (index === undefined) return;
    const slot = this.#slots[index]!;
    const taken = slot.track.slot.occupant?.trackId !== trackId;
    if (taken) this.#occupy(slot, source);
    const sent = slot.stream.rewrite(packet, read, trackId, now);
    if (sent === undefined) return;
    slot.track.producer.send(packet);
    if (!taken && !(sent.first && now - slot.toldAt >= LEAST_TOLD_INTERVAL_MS)) return;
    slot.toldAt = now;
    slot.info = {
      slot: index,
      participantId: source.peerId,
      trackId,
      rtpTimestamp: sent.timestamp,
      capturedAt: Math.round(read.capturedAt ?? Date.now()),
    };
    this.emit('changed', [slot.info]);
  }

  #occupy(slot: Slot, source: Track | undefined): void {
    const before = slot.track.slot.occupant;
    slot.track.slot.occupant = source && { peerId: source.peerId, trackId: source.id };
    this.emit('occupant', slot.track, before);
  }

  /** Frees the slots whose occupants the assigner no longer has. */
  #update(): void {
    const freed: AudioSlot[] = [];
    for (const [index, occupant] of this.#assigner.occupants.entries()) {
      const slot = this.#slots[index]!;
      if (occupant !== undefined || slot.track.slot.occupant === undefined) continue;
      this.#occupy(slot, undefined);
      slot.info = { slot: index, participantId: null, trackId: null };
      freed.push(slot.info);
    }
    if (freed.length > 0) this.emit('changed', freed);
  }

  #review(): void {
    const now = performance.now();
    if (this.#assigner.expire(now)) this.#update();
    const talking = new Set(this.#assigner.occupants);
    this.#taps.review(now, (id) => (talking.has(id) ? Infinity : this.#assigner.voicedAt(id)));
  }
}

function slotParameters(router: Router, index: number): RtpParameters {
  const { codecs = [], headerExtensions = [] } = negotiable(router.rtpCapabilities);
  const opus = codecs.find((codec) => codecName(codec) === 'opus')!;
  return {
    codecs: [
      {
        mimeType: opus.mimeType,
        payloadType: opus.preferredPayloadType!,
        clockRate: opus.clockRate,
        channels: 2,
        parameters: opus.parameters ?? {},
      },
    ],
    headerExtensions: headerExtensions
      .filter(
        ({ kind, uri }) => kind === 'audio' && (uri === LEVEL_EXTENSION || uri === CAPTURE_TIME_EXTENSION),
      )
      .map(({ uri, preferredId }) => ({ uri, id: preferredId })),
    // The receivers get SSRCs of the worker's choosing.
    encodings: [{ ssrc: index + 1 }],
    rtcp: { cname: `slot-${index}` },
  };
}

function extensionIds({ headerExtensions = [] }: RtpParameters) {
  const id = (uri: string) => headerExtensions.find((extension) => extension.uri === uri)?.id;
  return { level: id(LEVEL_EXTENSION), captureTime: id(CAPTURE_TIME_EXTENSION) };
}
