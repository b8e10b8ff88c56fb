import { EventEmitter } from 'node:events';
import { createPacketizer } from '../../media/rtp/index.ts';
import type { EncodedFrame, EncodedSource } from '../../media/types.ts';
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

/** What carries an offer to the server and its answer back. */
export type OfferExchange = (offer: {
  sdp: string;
  tracks: PublishedTrack[];
  reset: boolean;
}) => Promise<{ sdp: string; tracks: readonly { mid: string; trackId: string }[] }>;

interface PublishEvents {
  state: [state: TransportState];
  /** The server wants a keyframe of a simulcast layer. */
  'keyframe-request': [layer: number];
  /** The video layers that are to be sent are others: those that somebody wants and the uplink carries. */
  layers: [active: readonly number[]];
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

/** The peer connection that sends one source's audio and video. */
export class PublishConnection extends EventEmitter<PublishEvents> {
  readonly #transport: MediaTransport;
  readonly #sections: readonly PublishedSection[];
  readonly #cname: string;
  readonly #source: EncodedSource;
  readonly #targetBitrate: number;
  readonly #options: SendingOptions;
  readonly #sessionId = Math.floor(Math.random() * Number.MAX_SAFE_INTEGER);
  #version = 0;
  #session: RtpSession | undefined;
  #audio: Sending | undefined;
  #video: Sending[] = [];
  #uplink: Uplink | undefined;
  /** At a constant rate: the layers that are sent, which are those that somebody watches. */
  #wanted: readonly number[] | undefined;
  #trackIds = new Map<string, string>();
  #closed = false;

  private constructor(
    transport: MediaTransport,
    source: EncodedSource,
    cname: string,
    options: SendingOptions,
  ) {
    super();
    this.#transport = transport;
    this.#cname = cname;
    this.#source = source;
    this.#options = options;
    this.#sections = publishSections(source, cname);
    this.#targetBitrate = (source.video?.layers ?? []).reduce((sum, layer) => sum + layer.bitrate, 64_000);
    transport.on('state', (state) => this.emit('state', state));
    transport.on('packet', (packet) => this.#session?.receive(packet));
  }

  static async create(
    source: EncodedSource,
    cname: string,
    options: TransportOptions,
    sending: SendingOptions = {},
  ): Promise<PublishConnection> {
    return new PublishConnection(await MediaTransport.create(options), source, cname, sending);
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

  /** Video layers that are sent, lowest first. */
  get activeLayers(): readonly number[] {
    return this.#uplink?.active ?? this.#wanted ?? [];
  }

  /** Takes which layers of which tracks somebody watches; the others are not sent. */
  setWantedLayers(wanted: readonly { trackId: string; layers: readonly number[] }[]): void {
    const camera = this.trackId('camera');
    const entry = wanted.find(({ trackId }) => trackId === camera);
    if (entry === undefined) return;
    this.#uplink?.setWanted(entry.layers);
    if (this.#wanted !== undefined) this.#activate([...entry.layers].sort((a, b) => a - b));
  }

  /** The server's id of the track that carries the source, once it is published. */
  trackId(source: MediaSource): string | undefined {
    const mid = this.#sections.find((published) => published.source === source)?.section.mid;
    return mid === undefined ? undefined : this.#trackIds.get(mid);
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
    const { audio, video } = this.#source;
    if (this.#options.constantRate) {
      this.#wanted = (video?.layers ?? []).map((_, layer) => layer);
      return { iceMs, dtlsMs };
    }
    this.#uplink = new Uplink(session, {
      bitrates: (video?.layers ?? []).map(({ bitrate }) => bitrate),
      audio: audio !== undefined,
    });
    this.#uplink.on('layers', (active) => this.#activate(active));
    return { iceMs, dtlsMs };
  }

  #activate(active: readonly number[]): void {
    if (this.#wanted !== undefined) this.#wanted = active;
    this.#video.forEach(({ sender }, layer) => {
      sender.setActive(active.includes(layer));
    });
    this.emit('layers', active);
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
      tracks: this.#sections.map(({ section, source }) => ({
        mid: section.mid,
        source,
        ...(section.kind === 'video' ? { layers: this.#publishedLayers() } : {}),
      })),
      reset,
    });
    this.#trackIds = new Map(reply.tracks.map(({ mid, trackId }) => [mid, trackId]));
    return readSessionDescription(reply.sdp);
  }

  #publishedLayers(): { height: number; bitrate: number }[] {
    return (this.#source.video?.layers ?? []).map(({ height, bitrate }) => ({ height, bitrate }));
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
      sender.on('keyframe-request', () => this.emit('keyframe-request', layer));
      return { sender, published, layer };
    });
    if (section.kind === 'audio') this.#audio = sendings[0];
    else this.#video = sendings;
  }

  /** @param captureTimeMs wall clock of the frame's capture, milliseconds since the epoch */
  sendFrame(frame: EncodedFrame, captureTimeMs: number): void {
    if (frame.kind === 'video' && !this.activeLayers.includes(frame.layer)) return;
    const sending = frame.kind === 'audio' ? this.#audio : this.#video[frame.layer];
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
    const sendings = this.#audio ? [this.#audio, ...this.#video] : this.#video;
    return sendings.map(({ sender, published, layer }) => ({
      ...sender.stats(),
      kind: published.section.kind,
      source: published.source,
      layer,
      active: published.section.kind === 'audio' || this.activeLayers.includes(layer),
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
