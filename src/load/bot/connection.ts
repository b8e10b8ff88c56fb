/** The peer connection on which a bot receives. */
import { AnsweringConnection, type OfferedTrack } from '../../client/peer/answering-connection.ts';
import { knownExtensions } from '../../client/peer/codecs.ts';
import { primaryCodec } from '../../client/peer/subscribe-answer.ts';
import type { Clock } from '../../client/rtp/clock.ts';
import type { SrtpKeys, TransportOptions } from '../../client/transport/types.ts';
import { MediaTransport } from '../../client/transport/werift.ts';
import { createDepacketizer } from '../../media/rtp/index.ts';
import type { SubscribedTrack } from '../../protocol/signaling.ts';
import type { BotFigures } from './figures.ts';
import { BotSession } from './session.ts';
import type { BotStream } from './stream.ts';
import type { Watch } from './watch.ts';

export interface BotConnectionOptions {
  readonly cname: string;
  readonly clock: Clock;
  readonly figures: BotFigures;
  /** One packet in so many is opened and checked; 1 opens all. */
  readonly checkOneIn: number;
  /** The viewer of a track, the same for all connections that bring it. */
  readonly watch: (track: SubscribedTrack, clockRate: number) => Watch;
  /** The track no longer comes: the server has ended it, or the connection is closed. */
  readonly ended: (track: SubscribedTrack) => void;
}

export class BotConnection extends AnsweringConnection {
  readonly #options: BotConnectionOptions;
  readonly #streams = new Map<string, BotStream>();
  #session: BotSession | undefined;
  #profile: string | undefined;

  private constructor(transport: MediaTransport, options: BotConnectionOptions) {
    super(transport);
    this.#options = options;
  }

  static async create(transport: TransportOptions, options: BotConnectionOptions): Promise<BotConnection> {
    return new BotConnection(await MediaTransport.create(transport), options);
  }

  /** The SRTP protection profile in use. */
  get srtpProfile(): string | undefined {
    return this.#profile;
  }

  get streams(): Iterable<BotStream> {
    return this.#streams.values();
  }

  override setSlots(): void {
    // Who is heard in a slot changes nothing for who listens to all of them.
  }

  protected override onPacket(packet: Buffer): void {
    this.#session?.receive(packet);
  }

  protected override onConnected(keys: SrtpKeys): void {
    const { cname, clock, figures, checkOneIn } = this.#options;
    this.#profile = keys.profile;
    this.#session = new BotSession({
      send: (packet) => this.transport.send(packet),
      keys,
      cname,
      clock,
      figures,
      checkOneIn,
    });
  }

  protected override onOffered(): void {
    // It counts from its first packet on.
  }

  protected override receive({ section, track }: OfferedTrack): void {
    const [stream] = section.streams;
    const primary = primaryCodec(section);
    if (this.#session === undefined || stream === undefined || primary === undefined) return;
    const { payloadType, clockRate, feedback } = primary.sdp;
    const extensions = knownExtensions(section.extensions);
    const { figures } = this.#options;
    const added = this.#session.addStream(
      {
        kind: section.kind,
        ssrc: stream.ssrc,
        rtxSsrc: stream.rtxSsrc,
        payloadType,
        clockRate,
        depacketizer: createDepacketizer(primary.codec),
        nack: feedback.includes('nack'),
        pli: feedback.includes('nack pli'),
        figures,
        watch: this.#options.watch(track, clockRate),
      },
      {
        transportCc: feedback.includes('transport-cc') ? (extensions.transportCc ?? 0) : 0,
        captureTime: extensions.absCaptureTime ?? 0,
      },
    );
    this.#streams.set(section.mid, added);
  }

  protected override onEnded({ section, track }: OfferedTrack): void {
    const stream = this.#streams.get(section.mid);
    this.#streams.delete(section.mid);
    if (stream !== undefined) this.#session?.removeStream(stream);
    this.#options.ended(track);
  }

  protected override onClosed(): void {
    this.#session?.close();
  }
}
