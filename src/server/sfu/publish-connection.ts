/** The connection on which a participant sends: one transport and a producer for each sending section. */
import { randomUUID } from 'node:crypto';
import type { RtpParameters, WebRtcTransport } from 'mediasoup/types';
import { MeetError } from '../../protocol/errors.ts';
import type { MediaSource } from '../../protocol/model.ts';
import type { PublishedTrack } from '../../protocol/signaling.ts';
import { codecName } from './codecs.ts';
import {
  type AgreedSection,
  type PublishPlan,
  planPublish,
  type SectionPlan,
} from './publish-negotiation.ts';
import { endedMeanwhile, type Route, type Track } from './route.ts';
import { badSdp, type Description, fingerprintOf, type RemoteTransport } from './sdp/description.ts';
import { newSessionId, withTransport, writeSession } from './sdp/session.ts';
import type { PublishReply, PublishRule } from './types.ts';

/**
 * Least time between two keyframe requests for a stream. Chromium ignores one that comes within 300 ms of another,
 * and the worker repeats it after a second only: of 24 participants who joined one after the other, 8 saw their first
 * picture after more than a second. The second request now waits and is answered.
 */
const KEY_FRAME_REQUEST_DELAY_MS = 350;
/**
 * What a receiver's connection is probed for at least, bits a second, as the best encoding's `maxBitrate`: the worker
 * probes up to 1.35 times that or what arrives, and 2 Mbit/s must be seen before the best layer is sent.
 */
const PROBED_BITRATE = 2_600_000;

export interface PublishConnectionOptions {
  readonly route: Route;
  readonly peerId: string;
  /** DTLS is up. */
  readonly onConnected: () => void;
  readonly rule: PublishRule;
  /** The client ended the connection, or DTLS failed. */
  readonly onLost: () => void;
}

export class PublishConnection {
  readonly #transport: WebRtcTransport;
  readonly #route: Route;
  readonly #peerId: string;
  readonly #rule: PublishRule;
  readonly #sessionId = newSessionId();
  /** Our DTLS role, as in the answer's `a=setup`. */
  readonly #setup: 'active' | 'passive';
  #version = 0;
  #remote: RemoteTransport;
  #agreed: readonly AgreedSection[] = [];
  /** By mid. */
  readonly #tracks = new Map<string, Track>();

  private constructor(
    transport: WebRtcTransport,
    remote: RemoteTransport,
    options: PublishConnectionOptions,
  ) {
    this.#transport = transport;
    this.#route = options.route;
    this.#peerId = options.peerId;
    this.#rule = options.rule;
    this.#remote = remote;
    // The client is the DTLS client where it leaves us the choice: it can start as soon as ICE has a path, while
    // an ICE-lite side does not know before a packet comes.
    this.#setup = remote.setup === 'passive' ? 'active' : 'passive';
    transport.on('dtlsstatechange', (state) => {
      if (state === 'connected') options.onConnected();
      if (state === 'failed' || state === 'closed') options.onLost();
    });
  }

  /**
   * Takes the first offer. Nothing is left behind when it fails.
   *
   * @throws MeetError `bad-sdp`, `no-common-codec`
   */
  static async open(
    offer: Description,
    tracks: readonly PublishedTrack[],
    options: PublishConnectionOptions,
  ): Promise<{ connection: PublishConnection; reply: PublishReply }> {
    const refused = refusedMids(offer, tracks, options.rule);
    const plan = planPublish(offer, [], options.route.capabilities, refused);
    const remote = plan.transport!;
    const transport = await options.route.createTransport();
    try {
      const connection = new PublishConnection(transport, remote, options);
      await transport.connect({
        dtlsParameters: {
          role: connection.#setup === 'passive' ? 'client' : 'server',
          fingerprints: [remote.fingerprint],
        },
      });
      return { connection, reply: await connection.#apply(plan, offer, tracks) };
    } catch (error) {
      transport.close();
      throw error;
    }
  }

  get tracks(): Track[] {
    return [...this.#tracks.values()];
  }

  get transport(): WebRtcTransport {
    return this.#transport;
  }

  /** Whether the offer comes from the peer connection that this one is connected to (RFC 8842 section 5.1). */
  continues(offer: Description): boolean {
    if (this.#transport.closed || !this.#route.alive) return false;
    const fingerprint = fingerprintOf(offer);
    return fingerprint === undefined || fingerprint === this.#remote.fingerprint.value;
  }

  /** @throws MeetError `bad-sdp`, `no-common-codec`; what was agreed before goes on then. */
  renegotiate(offer: Description, tracks: readonly PublishedTrack[]): Promise<PublishReply> {
    const refused = refusedMids(offer, tracks, this.#rule);
    return this.#apply(planPublish(offer, this.#agreed, this.#route.capabilities, refused), offer, tracks);
  }

  /** Ends the tracks of these sources; a later offer may begin them anew. */
  end(sources: ReadonlySet<MediaSource>): void {
    for (const [mid, track] of this.#tracks) {
      if (!sources.has(track.source)) continue;
      this.#end(mid, track);
      this.#agreed = this.#agreed.map((section) =>
        section.mid === mid ? { ...section, rtpParameters: undefined } : section,
      );
    }
  }

  close(): void {
    this.#transport.close();
  }

  async #apply(
    plan: PublishPlan,
    offer: Description,
    described: readonly PublishedTrack[],
  ): Promise<PublishReply> {
    const about = new Map(described.map((track) => [track.mid, track]));
    const sending = plan.sections.filter(({ sending }) => sending !== undefined);
    const added = await this.#produce(
      sending.filter(({ keep }) => !keep),
      about,
    );
    const remote = plan.transport ?? this.#remote;
    if (
      remote.usernameFragment !== this.#remote.usernameFragment ||
      remote.password !== this.#remote.password
    ) {
      await this.#transport.restartIce();
    }
    this.#remote = remote;
    const kept = new Set(sending.filter(({ keep }) => keep).map(({ section }) => section.mid));
    for (const [mid, track] of this.#tracks) {
      if (kept.has(mid)) await this.#update(track, about.get(mid));
      else this.#end(mid, track);
    }
    for (const [mid, track] of added) this.#tracks.set(mid, track);
    this.#agreed = plan.sections.map(({ section, sending }) => ({
      mid: section.mid,
      kind: section.kind,
      rtpParameters: sending?.rtpParameters,
    }));
    return {
      sdp: this.#answer(plan, offer),
      tracks: sending.map(({ section: { mid } }) => ({ mid, trackId: this.#tracks.get(mid)!.id })),
    };
  }

  /** All or none of the new producers. */
  async #produce(
    plans: readonly SectionPlan[],
    about: ReadonlyMap<string, PublishedTrack>,
  ): Promise<Map<string, Track>> {
    // A section whose streams changed is replaced: the worker knows one producer a mid.
    for (const { section } of plans) {
      const replaced = this.#tracks.get(section.mid);
      if (replaced !== undefined) this.#end(section.mid, replaced);
    }
    const results = await Promise.allSettled(
      plans.map(async ({ section, sending }): Promise<[string, Track]> => {
        const kind = section.kind as Track['kind'];
        const { source, muted, layers } = about.get(section.mid) ?? {};
        const id = randomUUID();
        const producer = await this.#transport.produce({
          id,
          kind,
          rtpParameters:
            kind === 'video' ? forLayers(sending!.rtpParameters, layers) : sending!.rtpParameters,
          paused: muted === true || this.#rule(source ?? defaultSource(kind)) === 'mute',
          ...(kind === 'video' ? { keyFrameRequestDelay: KEY_FRAME_REQUEST_DELAY_MS } : {}),
        });
        if (this.#transport.closed) throw endedMeanwhile(producer);
        return [
          section.mid,
          {
            id,
            peerId: this.#peerId,
            kind,
            source: source ?? defaultSource(kind),
            producer,
            ...(layers === undefined ? {} : { layers }),
          },
        ];
      }),
    );
    const made = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) {
      for (const [, { producer }] of made) producer.close();
      if (!this.#route.alive || this.#transport.closed) {
        throw new MeetError('worker-died', 'The SFU worker died during the negotiation.', {
          cause: failed.reason,
        });
      }
      throw badSdp('The streams of the offer contradict one another.', failed.reason);
    }
    return new Map(made);
  }

  async #update(track: Track, about: PublishedTrack | undefined): Promise<void> {
    if (about === undefined) return;
    track.source = about.source;
    if (about.muted === undefined || about.muted === track.producer.paused) return;
    if (!about.muted && this.#rule(track.source) !== 'send') return;
    await (about.muted ? track.producer.pause() : track.producer.resume());
  }

  #end(mid: string, track: Track): void {
    track.producer.close();
    this.#tracks.delete(mid);
  }

  #answer(plan: PublishPlan, { extmapAllowMixed }: Description): string {
    const tagged = plan.sections.find(({ accepted }) => accepted);
    this.#version++;
    return writeSession({
      sessionId: this.#sessionId,
      version: this.#version,
      transport: this.#transport,
      extmapAllowMixed,
      ...(plan.bundle === undefined ? {} : { bundle: plan.bundle }),
      media: plan.sections.map((section) =>
        section.accepted
          ? withTransport(section.answer, this.#transport, { tagged: section === tagged, setup: this.#setup })
          : section.answer,
      ),
    });
  }
}

/**
 * Says what is in the streams. One stream of VP9 or AV1 may have spatial layers, which its description says and the SDP
 * does not; of a VP9 stream that is not described it is taken for possible, as a browser's `scalabilityMode` shows
 * nowhere. Packets of more layers than said would be dropped, of fewer they are forwarded as ever.
 */
function forLayers(parameters: RtpParameters, layers: PublishedTrack['layers']): RtpParameters {
  const { encodings = [{}], codecs } = parameters;
  const codec = codecName(codecs[0]!);
  const spatial = layers?.length ?? (codec === 'vp9' ? 3 : 1);
  const scalable = encodings.length === 1 && spatial > 1 && (codec === 'vp9' || codec === 'av1');
  return {
    ...parameters,
    encodings: encodings.map((encoding, index) => ({
      ...encoding,
      ...(scalable ? { scalabilityMode: `L${spatial}T3` } : {}),
      ...(index === encodings.length - 1
        ? { maxBitrate: Math.max(encoding.maxBitrate ?? 0, PROBED_BITRATE) }
        : {}),
    })),
  };
}

/** Sections of what may not be sent, and why. */
function refusedMids(
  { sections }: Description,
  described: readonly PublishedTrack[],
  rule: PublishRule,
): Map<string, MeetError> {
  const sources = new Map(described.map(({ mid, source }) => [mid, source]));
  return new Map(
    sections.flatMap(({ mid, kind }) => {
      const answer = rule(sources.get(mid) ?? defaultSource(kind === 'audio' ? 'audio' : 'video'));
      return typeof answer === 'string' ? [] : [[mid, answer] as const];
    }),
  );
}

function defaultSource(kind: Track['kind']): MediaSource {
  return kind === 'audio' ? 'microphone' : 'camera';
}
