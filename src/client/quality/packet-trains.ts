import type { AckedPacket } from '../rtp/sent-packet-history.ts';

/** Packets sent closer together than this are one train: a picture leaves in one or a few ticks of the pacer. */
const MAX_GAP_MS = 8;
/** A feedback that goes back further than this begins anew: the path or its clock has changed. */
const MAX_STEP_MS = 3_000;

/** A picture's packets, or a lone audio packet, as they were sent and arrived. */
export interface PacketTrain {
  readonly firstSentMs: number;
  /** On the receiver's clock. */
  readonly firstArrivedMs: number;
  lastSentMs: number;
  lastArrivedMs: number;
  packets: number;
  /** Bytes after the first packet: what took the time from the first arrival to the last. */
  bytes: number;
}

/**
 * Puts acknowledged packets into trains. The delay of a train's first packet shows the queue that was there before
 * it; that of the others shows what the train itself piled up, which with pictures is nothing to be alarmed at.
 */
export class PacketTrains {
  #current: PacketTrain | undefined;

  /** The train that may still grow. */
  get current(): PacketTrain | undefined {
    return this.#current;
  }

  /** Takes a packet in sending order; gives the train that it closes. */
  add(packet: AckedPacket): PacketTrain | undefined {
    const train = this.#current;
    if (train && packet.sentMs - train.lastSentMs <= MAX_GAP_MS && packet.sentMs >= train.firstSentMs) {
      train.lastSentMs = packet.sentMs;
      train.lastArrivedMs = Math.max(train.lastArrivedMs, packet.arrivedMs);
      train.packets += 1;
      train.bytes += packet.bytes;
      return undefined;
    }
    this.#current = {
      firstSentMs: packet.sentMs,
      firstArrivedMs: packet.arrivedMs,
      lastSentMs: packet.sentMs,
      lastArrivedMs: packet.arrivedMs,
      packets: 1,
      bytes: 0,
    };
    const steps = train && Math.abs(packet.arrivedMs - train.lastArrivedMs) > MAX_STEP_MS;
    return steps ? undefined : train;
  }
}

/** Bits a second at which a train came through; `undefined` for one too short to tell. */
export function trainRate({
  packets,
  bytes,
  firstArrivedMs,
  lastArrivedMs,
}: PacketTrain): number | undefined {
  const spanMs = lastArrivedMs - firstArrivedMs;
  return packets < 4 || spanMs <= 0 ? undefined : (bytes * 8000) / spanMs;
}
