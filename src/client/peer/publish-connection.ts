import { EventEmitter } from 'node:events';
import { createPacketizer } from '../../media/rtp/index.ts';
import type { EncodedFrame } from '../../media/types.ts';
import { MeetError } from '../../protocol/errors.ts';
import type { MediaSource } from '../../protocol/model.ts';
import type { PublishedTrack } from '../../protocol/signaling.ts';
import { Uplink } from '../quality/uplink.ts';
import type { Clock } from '../rtp/clock.ts';
import type { RtpSender } from '../rtp/sender.ts';
import { RtpSession } from '../rtp/session.ts';
import { readSessionDescription, type SdpSection, writeSessionDescription } from '../sdp/index.ts';
import type { LocalTransportParameters, TransportOptions, TransportState } from '../transport/types.ts';
import { MediaTransport } from '../transport/werift.ts';
import type { SentTrackStats } from '../types.ts';
import { codecOf, knownExtensions } from './codecs.ts';
import { type PublishedSection, publishSections } from './publish-offer.ts';
import {
  listSources,
  rankLayers,
  type SentLayer,
  type SentSources,
  type SourceRole,
} from './sent-sources.ts';

/** What carries an offer to the server and its answer back. */
export type OfferExchange = (offer: {
  sdp: string;
  tracks: PublishedTrack[];
  reset: boolean;
}) => Promise<{ sdp: string; tracks: readonly { mid: string; trackId: string }[] }>;

interface PublishEvents {
  state: [state: TransportState];
  /** The server wants a keyframe of a simulcast layer. */
  'keyframe-request': [role: SourceRole, layer: number];
  /** The video layers that are to be sent are others: those that somebody wants and the uplink carries. */
  layers: [];
  /** Bits a second that there are for the pictures of a source. */
  bitrate: [role: SourceRole, bitrate: number];
}

/** How a source is sent, where it is not as a participant's own would be. */
export interface SendingOptions {
  /** Gives what is sent its times; the system's by default. */
  readonly clock?: Clock;
  /** Sends what is wanted whatever the uplink carries: what measures others must not slow down by itself. */
  readonly constantRate?: boolean;
}

interface Sending {
  readonly sender: RtpSender;
  readonly published: PublishedSection;
  readonly layer: number;
}

/** The peer connection that sends the audio and video of a participant's sources. */
export class PublishConnection extends EventEmitter<PublishEvents> {
  readonly #transport: MediaTransport;
  readonly #sections: readonly PublishedSection[];
  readonly #cname: string;
  readonly #sources: SentSources;
  /** All video layers, the most important first. */
  readonly #layers: readonly SentLayer[];
  readonly #targetBitrate: number;
  readonly #options: SendingOptions;
  readonly #sessionId = Math.floor(Math.random() * Number.MAX_SAFE_INTEGER);
  #version = 0;
  #session: RtpSession | undefined;
  readonly #audio = new Map<SourceRole, Sending>();
  readonly #video = new Map<SourceRole, Sending[]>();
  #uplink: Uplink | undefined;
  /** Places in `#layers` of those that somebody watches. */
  #wanted: ReadonlySet<number>;
  #trackIds = new Map<string, string>();
  #closed = false;

  private constructor(
    transport: MediaTransport,
    sources: SentSources,
    cname: string,
    options: SendingOptions,
  ) {
    super();
    this.#transport = transport;
    this.#cname = cname;
    this.#sources = sources;
    this.#options = options;
    this.#sections = publishSections(sources, cname);
    this.#layers = rankLayers(sources);
    this.#wanted = new Set(this.#layers.keys());
    this.#targetBitrate = this.#layers.reduce((sum, { bitrate }) => sum + bitrate, 64_000);
    transport.on('state', (state) => this.emit('state', state));
    transport.on('packet', (packet) => this.#session?.receive(packet));
  }

  static async create(
    sources: SentSources,
    cname: string,
    options: TransportOptions,
    sending: SendingOptions = {},
  ): Promise<PublishConnection> {
    return new PublishConnection(await MediaTransport.create(options), sources, cname, sending);
  }

  get state(): TransportState {
    return this.#transport.state;
  }

  get rttMs(): number | undefined {
    return this.#session?.rttMs;
  }

  /** Bandwidth of the uplink, bits a second; `undefined` before the connection is up. */
  get estimate(): number | undefined {
    return this.#uplink?.estimate;
  }

  /** Layers of a source's video that are sent, lowest first; none before the connection is up. */
  activeLayers(role: SourceRole): readonly number[] {
    if (this.#session === undefined) return [];
    return this.#active
      .flatMap((place) => (this.#layers[place]?.role === role ? [this.#layers[place].layer] : []))
      .sort((a, b) => a - b);
  }

  /** Places in `#layers` of those that are sent. */
  get #active(): readonly number[] {
    return this.#uplink?.active ?? [...this.#wanted];
  }

  /** Takes which layers of which tracks somebody watches; the others are not sent. */
  setWantedLayers(wanted: readonly { trackId: string; layers: readonly number[] }[]): void {
    const videos = this.#sections.filter(({ section }) => section.kind === 'video');
    const told = videos.flatMap(({ role, source }) => {
      const entry = wanted.find(({ trackId }) => trackId === this.trackId(source));
      return entry === undefined ? [] : [{ role, layers: entry.layers }];
    });
    if (told.length === 0) return;
    const isWanted = ({ role, layer }: SentLayer, place: number) =>
      told.find((one) => one.role === role)?.layers.includes(layer) ?? this.#wanted.has(place);
    this.#wanted = new Set(this.#layers.flatMap((layer, place) => (isWanted(layer, place) ? [place] : [])));
    this.#uplink?.setWanted(this.#wanted);
    if (this.#uplink === undefined) this.#activate();
  }

  /** The server's id of the track that carries the source, once it is published. */
  trackId(source: MediaSource): string | undefined {
    const mid = this.#sections.find((published) => published.source === source)?.section.mid;
    return mid === undefined ? undefined : this.#trackIds.get(mid);
  }

  /** Sources of which the server takes nothing. */
  get refusedRoles(): SourceRole[] {
    return listSources(this.#sources).flatMap(({ role }) => {
      const sections = this.#sections.filter((section) => section.role === role);
      const taken = sections.some(({ section }) => this.#trackIds.has(section.mid));
      return sections.length === 0 || taken ? [] : [role];
    });
  }

  /**
   * Offers, connects and is ready to send.
   *
   * @throws MeetError `connection-failed`, `peer-not-verified`, or what the server refuses the offer with
   */
  async connect(exchange: OfferExchange): Promise<{ iceMs: number; dtlsMs: number }> {
    const answer = await this.#negotiate(exchange, this.#transport.local, true);
    const { iceMs, dtlsMs, keys } = await this.#transport.connect(answer.transport);
    if (this.#closed)
      throw new MeetError('connection-failed', 'The connection was closed while it was being made.');
    const session = new RtpSession({
      send: (packet) => this.#transport.send(packet),
      keys,
      cname: this.#cname,
      targetBitrate: this.#targetBitrate,
      ...(this.#options.clock === undefined ? {} : { clock: this.#options.clock }),
    });
    this.#session = session;
    for (const published of this.#sections) {
      const accepted = answer.sections.find((section) => section.mid === published.section.mid);
      if (accepted !== undefined && !accepted.rejected) this.#addSenders(session, published, accepted);
    }
    if (this.#options.constantRate) return { iceMs, dtlsMs };
    this.#uplink = new Uplink(session, {
      bitrates: this.#layers.map(({ bitrate }) => bitrate),
      floors: this.#layers.map(({ floor }) => floor),
      audio: this.#audio.size > 0,
    });
    this.#uplink.on('layers', () => this.#activate());
    this.#uplink.on('bitrate', (bitrate) => this.#divide(bitrate));
    return { iceMs, dtlsMs };
  }

  #activate(): void {
    for (const [role, sendings] of this.#video) {
      const active = this.activeLayers(role);
      sendings.forEach(({ sender }, layer) => {
        sender.setActive(active.includes(layer));
      });
    }
    this.emit('layers');
  }

  /** Each source gets its share of what there is for pictures, by what it would take. */
  #divide(bitrate: number): void {
    const active = this.#active.map((place) => this.#layers[place]!);
    const sum = (layers: readonly SentLayer[]) => layers.reduce((bits, layer) => bits + layer.bitrate, 0);
    for (const { role } of listSources(this.#sources)) {
      const share = sum(active.filter((layer) => layer.role === role)) / sum(active);
      if (share > 0) this.emit('bitrate', role, Math.round(bitrate * share));
    }
  }

  /** Moves the connection to a fresh ICE session; DTLS, SRTP and the RTP streams go on. */
  async restartIce(exchange: OfferExchange): Promise<void> {
    const local = await this.#transport.restartIce();
    const answer = await this.#negotiate(exchange, local, false);
    await this.#transport.connectRestarted(answer.transport);
  }

  async #negotiate(exchange: OfferExchange, local: LocalTransportParameters, reset: boolean) {
    const reply = await exchange({
      sdp: writeSessionDescription({
        sessionId: this.#sessionId,
        version: this.#version++,
        local,
        setup: 'actpass',
        sections: this.#sections.map((published) => published.section),
      }),
      tracks: this.#sections.map(({ section, source, role }) => ({
        mid: section.mid,
        source,
        ...(section.kind === 'video' ? { layers: this.#publishedLayers(role) } : {}),
      })),
      reset,
    });
    this.#trackIds = new Map(reply.tracks.map(({ mid, trackId }) => [mid, trackId]));
    return readSessionDescription(reply.sdp);
  }

  #publishedLayers(role: SourceRole): { height: number; bitrate: number }[] {
    return (this.#sources[role]?.video?.layers ?? []).map(({ height, bitrate }) => ({ height, bitrate }));
  }

  #addSenders(session: RtpSession, published: PublishedSection, accepted: SdpSection): void {
    const { section } = published;
    const codec = accepted.codecs.find((candidate) => codecOf(candidate.name) === section.codecs[0]?.name);
    const name = codec && codecOf(codec.name);
    if (codec === undefined || name === undefined) return;
    const rtx = accepted.codecs.find(
      (candidate) => candidate.name === 'rtx' && candidate.parameters.apt === String(codec.payloadType),
    );
    const sendings = published.streams.map(({ ssrc, rtxSsrc, rid }, layer): Sending => {
      const sender = session.addSender({
        kind: section.kind,
        ssrc,
        ...(rtx === undefined || rtxSsrc === undefined ? {} : { rtxSsrc, rtxPayloadType: rtx.payloadType }),
        payloadType: codec.payloadType,
        clockRate: codec.clockRate,
        mid: section.mid,
        ...(rid === undefined ? {} : { rid }),
        extensions: knownExtensions(accepted.extensions),
        packetizer: createPacketizer(name),
      });
      sender.on('keyframe-request', () => this.emit('keyframe-request', published.role, layer));
      return { sender, published, layer };
    });
    if (section.kind === 'video') this.#video.set(published.role, sendings);
    else if (sendings[0]) this.#audio.set(published.role, sendings[0]);
  }

  /** @param captureTimeMs wall clock of the frame's capture, milliseconds since the epoch */
  sendFrame(role: SourceRole, frame: EncodedFrame, captureTimeMs: number): void {
    if (frame.kind === 'video' && !this.activeLayers(role).includes(frame.layer)) return;
    const sending = frame.kind === 'audio' ? this.#audio.get(role) : this.#video.get(role)?.[frame.layer];
    sending?.sender.sendFrame({
      data: frame.data,
      keyframe: frame.keyframe,
      timestampUs: frame.timestampUs,
      captureTimeMs,
      ...(frame.audioLevel === undefined ? {} : { audioLevel: frame.audioLevel }),
      ...(frame.temporalLayer === undefined ? {} : { temporalLayer: frame.temporalLayer }),
    });
  }

  stats(): SentTrackStats[] {
    const sendings = [...this.#audio.values(), ...[...this.#video.values()].flat()];
    return sendings.map(({ sender, published, layer }) => ({
      ...sender.stats(),
      kind: published.section.kind,
      source: published.source,
      layer,
      active: published.section.kind === 'audio' || this.activeLayers(published.role).includes(layer),
    }));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#uplink?.close();
    this.#session?.close();
    this.#transport.close();
  }
}
