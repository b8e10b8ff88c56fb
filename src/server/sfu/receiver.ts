/** What a participant turned out to be able to receive: everything, until an answer says otherwise. */
import type { RtpCapabilities, RtpParameters } from 'mediasoup/types';
import type { MediaDescription } from 'sdp-transform';
import { codecKey, codecName, isRtx } from './codecs.ts';

export class ReceiverCapabilities {
  readonly #accepted = new Set<string>();
  readonly #refused = new Set<string>();
  readonly #extensions = new Map<string, Set<string>>();
  #rtx = true;

  /** Whether it is worth offering these RTP parameters. */
  accepts({ codecs }: RtpParameters): boolean {
    return !this.#refused.has(codecKey(codecs[0]!));
  }

  /** The router's capabilities without what the receiver refused. */
  limit({ codecs, headerExtensions }: RtpCapabilities): RtpCapabilities {
    return {
      codecs: (codecs ?? []).filter((codec) =>
        isRtx(codec) ? this.#rtx : !this.#refused.has(codecKey(codec)),
      ),
      headerExtensions: (headerExtensions ?? []).filter(
        ({ kind, uri }) => this.#extensions.get(kind)?.has(uri) ?? true,
      ),
    };
  }

  /** A section was refused as a whole: because of its codec, unless that one was taken elsewhere. */
  refused({ codecs }: RtpParameters): void {
    const key = codecKey(codecs[0]!);
    if (!this.#accepted.has(key)) this.#refused.add(key);
  }

  /**
   * Learns from an accepted section.
   *
   * @returns `true` when what was offered can be sent as it is; `false` when it needs other parameters, or no
   *   longer has a codec at all.
   */
  answered({ codecs, headerExtensions }: RtpParameters, { type, rtp, ext }: MediaDescription): boolean {
    const main = codecs[0]!;
    const key = codecKey(main);
    const has = (name: string) => rtp.some(({ codec }) => codec.toLowerCase() === name);
    if (!has(codecName(main))) {
      this.#refused.add(key);
      return false;
    }
    this.#accepted.add(key);
    this.#refused.delete(key);
    const offered = new Set((headerExtensions ?? []).map(({ uri }) => uri as string));
    this.#extensions.set(type, new Set((ext ?? []).map(({ uri }) => uri).filter((uri) => offered.has(uri))));
    if (codecs.some(isRtx) && !has('rtx')) {
      this.#rtx = false;
      return false;
    }
    return true;
  }

  forget(): void {
    this.#accepted.clear();
    this.#refused.clear();
    this.#extensions.clear();
    this.#rtx = true;
  }
}
