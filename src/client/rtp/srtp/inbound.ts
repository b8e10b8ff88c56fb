import type { SrtpProfile } from '../../transport/types.ts';
import type { RtpHeader } from '../packet.ts';
import type { SrtpCipher } from './cipher.ts';
import { createCipher } from './profile.ts';
import { ReplayWindow } from './replay-window.ts';

interface StreamState {
  /** Highest authenticated index: rollover counter · 2^16 + sequence number. */
  highest: number;
  /** Packets since the last authenticated one that failed. */
  failures: number;
  readonly replay: ReplayWindow;
}

const SEQUENCE_RANGE = 65_536;
/** An index has 48 bits. */
const INDEX_RANGE = 2 ** 48;
/** Failures in a row after which a packet is also tried with the next rollover counter. */
const RESYNC_AFTER_FAILURES = 16;
/** SSRCs with state that one peer may have: a peer that changes SSRC for each packet must not eat the memory. */
const MAX_STREAMS = 8192;

/**
 * Where a sequence number lies, given the highest index so far (RFC 3711 section 3.3.1): the index nearest to
 * it, so that any loss below 2^15 packets is survived.
 */
export function estimateIndex(highest: number, sequenceNumber: number): number {
  const last = highest % SEQUENCE_RANGE;
  const cycle = highest - last;
  const distance = sequenceNumber - last;
  if (distance > 32_768)
    return cycle >= SEQUENCE_RANGE ? cycle - SEQUENCE_RANGE + sequenceNumber : cycle + sequenceNumber;
  if (distance < -32_768) return cycle + SEQUENCE_RANGE + sequenceNumber;
  return cycle + sequenceNumber;
}

/** Authenticates, decrypts and refuses replays of what one side of a session receives. */
export class SrtpInbound {
  readonly #cipher: SrtpCipher;
  readonly #streams = new Map<number, StreamState>();
  readonly #rtcpReplay = new Map<number, ReplayWindow>();

  constructor(profile: SrtpProfile, masterKey: Buffer, masterSalt: Buffer) {
    this.#cipher = createCipher(profile, masterKey, masterSalt);
  }

  /** The payload, padding included; `undefined` for what is forged, replayed or too short. */
  unprotectRtp(packet: Buffer, header: RtpHeader): Buffer | undefined {
    const stream = this.#streams.get(header.ssrc);
    if (!stream) return this.#firstOf(packet, header);
    const index = estimateIndex(stream.highest, header.sequenceNumber);
    if (!stream.replay.isNew(index)) return undefined;
    const payload = this.#cipher.decryptRtp(packet, header.headerLength, header.ssrc, index);
    if (payload) {
      accept(stream, index);
      return payload;
    }
    stream.failures += 1;
    if (stream.failures <= RESYNC_AFTER_FAILURES) return undefined;
    // More than 2^15 packets were lost (a path that was cut for a minute): the estimate is one cycle behind.
    const ahead = index + SEQUENCE_RANGE;
    if (ahead >= INDEX_RANGE) return undefined;
    const late = this.#cipher.decryptRtp(packet, header.headerLength, header.ssrc, ahead);
    if (late) accept(stream, ahead);
    return late;
  }

  /** The compound packet; `undefined` for what is forged, replayed or too short. */
  unprotectRtcp(packet: Buffer): Buffer | undefined {
    const index = this.#cipher.rtcpIndex(packet);
    if (index === undefined) return undefined;
    const ssrc = packet.readUInt32BE(4);
    const replay = this.#rtcpReplay.get(ssrc);
    if (replay && !replay.isNew(index)) return undefined;
    const compound = this.#cipher.decryptRtcp(packet);
    if (!compound) return undefined;
    const window = replay ?? new ReplayWindow();
    window.accept(index);
    if (!replay) remember(this.#rtcpReplay, ssrc, window);
    return compound;
  }

  /**
   * State is made only for a packet that authenticates. The rollover counter begins at zero; a stream whose
   * first packets, before its first wrap, were lost is found with one.
   */
  #firstOf(packet: Buffer, header: RtpHeader): Buffer | undefined {
    const { sequenceNumber } = header;
    for (const index of sequenceNumber < 32_768
      ? [sequenceNumber, sequenceNumber + SEQUENCE_RANGE]
      : [sequenceNumber]) {
      const payload = this.#cipher.decryptRtp(packet, header.headerLength, header.ssrc, index);
      if (!payload) continue;
      const stream: StreamState = { highest: index, failures: 0, replay: new ReplayWindow() };
      stream.replay.accept(index);
      remember(this.#streams, header.ssrc, stream);
      return payload;
    }
    return undefined;
  }
}

function accept(stream: StreamState, index: number): void {
  stream.failures = 0;
  stream.replay.accept(index);
  if (index > stream.highest) stream.highest = index;
}

function remember<State>(states: Map<number, State>, ssrc: number, state: State): void {
  if (states.size >= MAX_STREAMS) {
    const oldest = states.keys().next().value;
    if (oldest !== undefined) states.delete(oldest);
  }
  states.set(ssrc, state);
}
