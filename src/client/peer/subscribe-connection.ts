import { createDepacketizer } from '../../media/rtp/index.ts';
import type { AudioSlot } from '../../protocol/signaling.ts';
import type { RtpReceiver } from '../rtp/receiver.ts';
import { RtpSession } from '../rtp/session.ts';
import type { SrtpKeys, TransportOptions } from '../transport/types.ts';
import { MediaTransport } from '../transport/werift.ts';
import { AnsweringConnection, type OfferedTrack } from './answering-connection.ts';
import { knownExtensions } from './codecs.ts';
import { RemoteTrack } from './remote-track.ts';
import { primaryCodec } from './subscribe-answer.ts';

interface Receiving {
  readonly track: RemoteTrack;
  receiver?: RtpReceiver;
}

/** The peer connection that receives, and keeps the tracks in step with the server's offers. */
export class SubscribeConnection extends AnsweringConnection {
  readonly #cname: string;
  readonly #receiving = new Map<string, Receiving>();
  #session: RtpSession | undefined;
  #slots: readonly AudioSlot[] = [];

  private constructor(transport: MediaTransport, cname: string) {
    super(transport);
    this.#cname = cname;
  }

  static async create(cname: string, options: TransportOptions): Promise<SubscribeConnection> {
    return new SubscribeConnection(await MediaTransport.create(options), cname);
  }

  get rttMs(): number | undefined {
    return this.#session?.rttMs;
  }

  get tracks(): RemoteTrack[] {
    return [...this.#receiving.values()].map(({ track }) => track);
  }

  override setSlots(slots: readonly AudioSlot[]): void {
    this.#slots = slots;
    for (const { track } of this.#receiving.values()) {
      track.setOccupant(slots.find(({ slot }) => slot === track.slot));
    }
  }

  protected override onPacket(packet: Buffer): void {
    this.#session?.receive(packet);
  }

  protected override onConnected(keys: SrtpKeys): void {
    this.#session = new RtpSession({
      send: (packet) => this.transport.send(packet),
      keys,
      cname: this.#cname,
    });
  }

  protected override onOffered({ section, track }: OfferedTrack): void {
    const remote = new RemoteTrack(track, primaryCodec(section)!.codec);
    this.#receiving.set(section.mid, { track: remote });
    remote.setOccupant(this.#slots.find(({ slot }) => slot === remote.slot));
    this.emit('track', remote);
  }

  protected override receive({ section }: OfferedTrack): void {
    const receiving = this.#receiving.get(section.mid);
    const stream = section.streams[0];
    const primary = primaryCodec(section);
    if (receiving === undefined || stream === undefined || primary === undefined) return;
    const feedback = new Set(primary.sdp.feedback);
    receiving.receiver = this.#session!.addReceiver({
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
    receiving.track.attach(receiving.receiver);
  }

  protected override onEnded({ section }: OfferedTrack): void {
    const receiving = this.#receiving.get(section.mid);
    if (receiving === undefined) return;
    this.#receiving.delete(section.mid);
    if (receiving.receiver) this.#session?.removeReceiver(receiving.receiver);
    receiving.track.end();
    this.emit('track-ended', receiving.track);
  }

  protected override onClosed(): void {
    this.#session?.close();
  }
}
