/** The connection on which a participant receives: one transport, and a line of the SDP for each consumer. */
import type { Consumer, RtpCapabilities, WebRtcTransport } from 'mediasoup/types';
import { RemoteOfferMediaSection } from 'mediasoup-client/handlers/sdp/RemoteMediaSection';
import type { MediaDescription } from 'sdp-transform';
import type { MediaKind } from '../../protocol/model.ts';
import type { SubscribedTrack } from '../../protocol/signaling.ts';
import type { ReceiverCapabilities } from './receiver.ts';
import { endedMeanwhile, type Route, type Track } from './route.ts';
import { rtpParametersOf } from './rtp-parameters.ts';
import { badSdp, type Description, fingerprintOf, readTransport, type Section } from './sdp/description.ts';
import { newSessionId, withTransport, writeSession } from './sdp/session.ts';

export interface Carried {
  readonly track: Track;
  readonly consumer: Consumer;
}

export interface ConnectionListeners {
  /** DTLS is up. */
  readonly onConnected: () => void;
  /** The client ended the connection, or DTLS failed. */
  readonly onLost: () => void;
}

/** A section of our offers. It stays for the connection's life and carries one track after the other. */
interface Line {
  mid: string;
  readonly kind: MediaKind;
  /** As last offered, without ICE and DTLS parameters. */
  media: MediaDescription;
  /** The receiver refused it with port 0; a new mid makes it a new line (RFC 9429 section 5.2.2). */
  dead: boolean;
  carried: Carried | undefined;
}

export class SubscribeConnection {
  readonly #transport: WebRtcTransport;
  readonly #route: Route;
  readonly #sessionId = newSessionId();
  readonly #lines: Line[] = [];
  /** Whether the track is to stay paused for this receiver: an audio slot that carries its own voice. */
  readonly #holds: (track: Track) => boolean;
  /** Consumers that wait for the answer before they may flow. */
  readonly #unanswered = new Set<Consumer>();
  /** Lines that a consumer is being created for. */
  readonly #taken = new Set<Line>();
  #version = 0;
  #nextMid = 0;
  #fingerprint: string | undefined;

  private constructor(
    transport: WebRtcTransport,
    route: Route,
    { onConnected, onLost }: ConnectionListeners,
    holds: (track: Track) => boolean,
  ) {
    this.#transport = transport;
    this.#route = route;
    this.#holds = holds;
    transport.on('dtlsstatechange', (state) => {
      if (state === 'connected') onConnected();
      if (state === 'failed' || state === 'closed') onLost();
    });
  }

  /**
   * @param holds whether a track is to stay paused for now; {@link settle} asks again.
   */
  static async open(
    route: Route,
    listeners: ConnectionListeners,
    holds: (track: Track) => boolean,
  ): Promise<SubscribeConnection> {
    return new SubscribeConnection(await route.createTransport(), route, listeners, holds);
  }

  get transport(): WebRtcTransport {
    return this.#transport;
  }

  get closed(): boolean {
    return this.#transport.closed;
  }

  /** What is being sent or offered. */
  get carried(): Carried[] {
    return this.#lines.flatMap(({ carried }) => (carried === undefined ? [] : [carried]));
  }

  async restartIce(): Promise<void> {
    await this.#transport.restartIce();
  }

  /** Stops sending all tracks but `wanted`; says whether one was stopped. */
  retain(wanted: ReadonlySet<Track>): boolean {
    let changed = false;
    for (const line of this.#lines) {
      if (line.carried === undefined || wanted.has(line.carried.track)) continue;
      this.#release(line);
      changed = true;
    }
    return changed;
  }

  /**
   * Consumers for all tracks at once; those that ended meanwhile are left out.
   *
   * Before the transport is connected they are created running: nothing can leave before DTLS is up, and the worker
   * then asks for keyframes by itself, without a round trip to us (first picture in Chromium, medians of 12 joins: 83 and
   * 125 ms in two runs, against 136 ms in both when the answer resumes them). Later they are created paused, since packets that
   * come before the client has applied the offer are lost to it, the keyframe among them.
   */
  async add(tracks: readonly Track[], capabilities: RtpCapabilities): Promise<void> {
    const paused = this.#transport.dtlsState !== 'new';
    await Promise.all(
      tracks.map(async (track) => {
        const line = this.#takeLine(track.kind);
        try {
          const consumer = await this.#transport.consume({
            producerId: await this.#route.producerOf(track),
            rtpCapabilities: capabilities,
            mid: line.mid,
            paused: paused || this.#holds(track),
            // For audio it turns NACK on, for receivers that take it.
            enableRtx: true,
          });
          if (this.#transport.closed || track.producer.closed) throw endedMeanwhile(consumer);
          line.carried = { track, consumer };
          if (paused) this.#unanswered.add(consumer);
          consumer.observer.once('close', () => this.#unanswered.delete(consumer));
          if (track.slot !== undefined) this.settle(track);
          line.media = new RemoteOfferMediaSection({
            mid: line.mid,
            kind: track.kind,
            offerRtpParameters: rtpParametersOf(consumer) as never,
            streamId: track.slot === undefined ? track.peerId : track.id,
            trackId: track.id,
          }).getObject();
        } catch (error) {
          this.#taken.delete(line);
          if (!track.producer.closed || this.#transport.closed) throw error;
        }
      }),
    ).finally(() => this.#taken.clear());
  }

  /**
   * Pauses or resumes the track as `holds` says now. The request is on its way to the worker when it returns, so that
   * no packet which is sent after it comes before it.
   */
  settle(track: Track): void {
    const carried = this.carried.find((each) => each.track === track);
    if (carried === undefined || carried.consumer.closed) return;
    const { consumer } = carried;
    if (!this.#holds(track) && this.#unanswered.has(consumer)) return;
    // A worker that dies meanwhile takes the connection with it.
    (this.#holds(track) ? consumer.pause() : consumer.resume()).catch(() => {});
  }

  writeOffer(): { sdp: string; tracks: SubscribedTrack[] } {
    this.#version++;
    const live = this.#lines.filter(({ dead }) => !dead);
    const media = this.#lines.map((line) =>
      line.dead
        ? line.media
        : withTransport(line.media, this.#transport, { tagged: line === live[0], setup: 'actpass' }),
    );
    const sdp = writeSession({
      sessionId: this.#sessionId,
      version: this.#version,
      transport: this.#transport,
      bundle: live.map(({ mid }) => mid),
      extmapAllowMixed: true,
      media,
    });
    const tracks = this.#lines.flatMap(({ mid, carried }) =>
      carried === undefined
        ? []
        : [
            {
              mid,
              trackId: carried.track.id,
              participantId: carried.track.peerId,
              kind: carried.track.kind,
              source: carried.track.source,
              ...(carried.track.slot === undefined ? {} : { slot: carried.track.slot.index }),
            },
          ],
    );
    return { sdp, tracks };
  }

  get lines(): number {
    return this.#lines.length;
  }

  /**
   * Applies an answer to the last offer.
   *
   * @returns the tracks that the receiver does not want, and whether some must be offered again in another way.
   * @throws MeetError `bad-sdp`, before anything is applied.
   */
  async applyAnswer(
    answer: Description,
    receiver: ReceiverCapabilities,
  ): Promise<{ refused: Track[]; again: boolean }> {
    this.#check(answer);
    await this.#connect(answer);
    const refused: Track[] = [];
    let again = false;
    const resumed: Promise<void>[] = [];
    for (const section of answer.sections) {
      const line = this.#lines[section.index]!;
      if (section.rejected) line.dead = true;
      if (line.carried !== undefined) {
        const { track, consumer } = line.carried;
        const wanted = section.direction === 'recvonly' || section.direction === 'sendrecv';
        if (section.rejected) receiver.refused(rtpParametersOf(consumer));
        if (section.rejected || !wanted) {
          refused.push(track);
          this.#release(line);
        } else if (!receiver.answered(rtpParametersOf(consumer), section.media)) {
          this.#release(line);
          again = true;
        } else if (this.#unanswered.delete(consumer) && !consumer.closed && !this.#holds(track)) {
          resumed.push(consumer.resume());
        }
      }
      if (line.dead) line.media = deadSection(line);
    }
    // It fails where the track ended, or the worker, while the answer was on its way: both are told of elsewhere, and
    // must not leave the offer open for ever.
    await Promise.allSettled(resumed);
    return { refused, again };
  }

  close(): void {
    this.#transport.close();
  }

  #check(answer: Description): void {
    if (answer.sections.length !== this.#lines.length) {
      throw badSdp(
        `The answer has ${answer.sections.length} media sections, the offer ${this.#lines.length}.`,
      );
    }
    for (const { index, hasMid, mid, kind } of answer.sections) {
      const line = this.#lines[index]!;
      if (kind !== line.kind || (hasMid && mid !== line.mid)) {
        throw badSdp(`Section ${index} of the answer does not match the offer's.`);
      }
    }
    const fingerprint = fingerprintOf(answer);
    if (this.#fingerprint !== undefined && fingerprint !== undefined && fingerprint !== this.#fingerprint) {
      throw badSdp(
        'The answer comes from another peer connection; subscribe with `reset` to build a new one.',
      );
    }
  }

  async #connect(answer: Description): Promise<void> {
    const first: Section | undefined = answer.sections.find(({ rejected }) => !rejected);
    if (this.#fingerprint !== undefined || first === undefined) return;
    const { fingerprint, setup } = readTransport(answer, first);
    this.#fingerprint = fingerprint.value;
    await this.#transport.connect({
      dtlsParameters: { role: setup === 'passive' ? 'server' : 'client', fingerprints: [fingerprint] },
    });
  }

  #takeLine(kind: MediaKind): Line {
    let line = this.#lines.find(
      (candidate) =>
        candidate.kind === kind && candidate.carried === undefined && !this.#taken.has(candidate),
    );
    if (line === undefined) {
      line = { mid: '', kind, media: emptySection(kind), dead: true, carried: undefined };
      this.#lines.push(line);
    }
    if (line.dead) {
      line.mid = String(this.#nextMid++);
      line.dead = false;
    }
    this.#taken.add(line);
    return line;
  }

  #release(line: Line): void {
    line.carried?.consumer.close();
    line.carried = undefined;
    line.media = inactiveSection(line.media);
  }
}

/** RFC 3264 section 8.2 would be port 0, but a browser ends the track then and a later one needs a new line. */
function inactiveSection(media: MediaDescription): MediaDescription {
  const { ssrcs: _ssrcs, ssrcGroups: _groups, msid: _msid, ...rest } = media;
  return { ...rest, direction: 'inactive' };
}

function emptySection(kind: MediaKind): MediaDescription {
  return {
    type: kind,
    port: 0,
    protocol: 'UDP/TLS/RTP/SAVPF',
    payloads: '0',
    direction: 'inactive',
    rtp: [],
    fmtp: [],
  };
}

function deadSection({ mid, kind, media }: Line): MediaDescription {
  return {
    ...emptySection(kind),
    mid,
    payloads: media.payloads ?? '0',
    connection: { version: 4, ip: '0.0.0.0' },
  };
}
