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
  /** The longest time between two arrivals, and the bytes that came at its end. */
  largestGapMs: number;
  largestGapBytes: number;
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
      const gapMs = packet.arrivedMs - train.lastArrivedMs;
      if (gapMs > train.largestGapMs) {
        train.largestGapMs = gapMs;
        train.largestGapBytes = packet.bytes;
      }
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
      largestGapMs: 0,
      largestGapBytes: 0,
    };
    const steps = train && Math.abs(packet.arrivedMs - train.lastArrivedMs) > MAX_STEP_MS;
    return steps ? undefined : train;
  }
}

/** How slowly a train came through, apart from the longest pause within it. */
export interface TrainPace {
  /** Milliseconds from the first arrival to the last. */
  readonly spanMs: number;
  /** Bits a second. */
  readonly rate: number;
}

/**
 * The pace of a train; `undefined` for one too short to tell. A narrow link spaces all packets of a train; a radio that
 * stalls, or a busy server, makes one pause, and what came meanwhile follows at once: that says nothing of the rate.
 */
export function trainPace(train: PacketTrain): TrainPace | undefined {
  const spanMs = train.lastArrivedMs - train.firstArrivedMs - train.largestGapMs;
  if (train.packets < 4 || spanMs <= 0) return undefined;
  return { spanMs, rate: ((train.bytes - train.largestGapBytes) * 8000) / spanMs };
}
