/** Which pictures of a stream are whole, told from RTP headers alone. */

/** A packet that has come, with what its header and, where it was opened, its payload say. */
export interface FramePacket {
  /** Extended: never wraps. */
  readonly sequence: number;
  readonly timestamp: number;
  readonly marker: boolean;
  /** When its frame was sent, on the run's clock; `undefined` on all but the first packet of a frame. */
  readonly capturedMs: number | undefined;
  /** It begins a keyframe; `undefined` where it was not looked at. */
  readonly keyframe: boolean | undefined;
}

export interface FrameSink {
  /**
   * A picture is whole and everything that it depends on has come; `follows` says that it is the next after the last
   * one that was.
   */
  frame(timestamp: number, capturedMs: number | undefined, follows: boolean): void;
  /** A picture is not whole, or depends on one that is not. */
  broken(): void;
  /** Nothing can be shown until there is a keyframe. */
  keyframeNeeded(): void;
}

/** Packets that a gap may hold up, as many as the reception statistics take for the same stream. */
const WINDOW = 2048;

/**
 * Follows a stream in the order of its sequence numbers. A picture ends with its marker (all payload formats of
 * video set it, RFC 7741 section 4.1 for VP8); the next one begins after it. While nothing is missing no packet is
 * kept and nothing is allocated.
 */
export class FrameTracker {
  readonly #sink: FrameSink;
  /** The packet that comes next in order. */
  #next: number | undefined;
  /** Packets after a gap, by sequence number modulo the window; made with the first gap. */
  #waiting: (FramePacket | 'given-up' | undefined)[] | undefined;
  #waitingCount = 0;
  /** Timestamp of the picture that has begun, `undefined` between two. */
  #timestamp: number | undefined;
  #capturedMs: number | undefined;
  #broken = false;
  #waitsForKeyframe = true;
  #follows = false;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** Whether payloads have to be looked at: for where a keyframe begins. */
  get looksForKeyframe(): boolean {
    return this.#waitsForKeyframe || this.#waitingCount > 0;
  }

  /** Whether a packet with this sequence number and timestamp, if it is the next, begins a picture. */
  begins(timestamp: number): boolean {
    return this.#timestamp === undefined || this.#timestamp !== timestamp;
  }

  add(packet: FramePacket): void {
    this.#next ??= packet.sequence;
    const ahead = packet.sequence - this.#next;
    if (ahead < 0) return;
    if (ahead === 0) {
      this.#next += 1;
      this.#take(packet);
      if (this.#waitingCount > 0) this.#goOn();
      return;
    }
    if (ahead >= WINDOW) {
      this.restart(packet.sequence);
      this.add(packet);
      return;
    }
    this.#keep(packet.sequence, packet);
  }

  /** A packet will not come any more. */
  giveUp(sequence: number): void {
    if (this.#next === undefined) return;
    const ahead = sequence - this.#next;
    if (ahead < 0 || ahead >= WINDOW) return;
    if (ahead > 0) {
      this.#keep(sequence, 'given-up');
      return;
    }
    this.#next += 1;
    this.#lose();
    this.#goOn();
  }

  /** The stream goes on elsewhere: what was waited for is lost. */
  restart(sequence: number): void {
    this.#waiting?.fill(undefined);
    this.#waitingCount = 0;
    this.#next = sequence;
    this.#lose();
    this.#timestamp = undefined;
  }

  #keep(sequence: number, packet: FramePacket | 'given-up'): void {
    this.#waiting ??= new Array(WINDOW).fill(undefined);
    const at = sequence % WINDOW;
    if (this.#waiting[at] !== undefined) return;
    this.#waiting[at] = packet;
    this.#waitingCount += 1;
  }

  #goOn(): void {
    const waiting = this.#waiting;
    while (waiting !== undefined && this.#waitingCount > 0) {
      const at = this.#next! % WINDOW;
      const packet = waiting[at];
      if (packet === undefined) return;
      waiting[at] = undefined;
      this.#waitingCount -= 1;
      this.#next! += 1;
      if (packet === 'given-up') this.#lose();
      else this.#take(packet);
    }
  }

  #lose(): void {
    this.#broken = true;
    this.#follows = false;
    if (this.#waitsForKeyframe) return;
    this.#waitsForKeyframe = true;
    this.#sink.keyframeNeeded();
  }

  #take({ timestamp, marker, capturedMs, keyframe }: FramePacket): void {
    if (this.#timestamp !== timestamp) {
      // The last packet of the picture before was lost, and its marker with it.
      if (this.#timestamp !== undefined) this.#sink.broken();
      this.#timestamp = timestamp;
      this.#capturedMs = capturedMs;
      // A picture whose first packet was lost begins in its middle, which is no start of a keyframe either.
      if (keyframe === true) {
        this.#broken = false;
        this.#waitsForKeyframe = false;
      } else if (this.#waitsForKeyframe) {
        this.#broken = true;
      }
    }
    if (!marker) return;
    this.#timestamp = undefined;
    if (this.#broken) {
      this.#sink.broken();
      if (this.#waitsForKeyframe) this.#sink.keyframeNeeded();
    } else {
      this.#sink.frame(timestamp, this.#capturedMs, this.#follows);
      this.#follows = true;
    }
    this.#broken = this.#waitsForKeyframe;
  }
}
