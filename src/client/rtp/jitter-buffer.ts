/** A packet of the original stream, in order of its extended sequence number. */
export interface BufferedPacket {
  readonly sequence: number;
  readonly timestamp: number;
  readonly marker: boolean;
  readonly payloadType: number;
  /** Empty for packets of padding only, which fill the sequence and belong to no frame. */
  readonly payload: Buffer;
  readonly receivedMs: number;
  /** When the frame was captured on the sender's wall clock, where the packet says it. */
  readonly captureTimeMs?: number | undefined;
  /** Audio: −dBov, where the packet says it. */
  readonly audioLevel?: number | undefined;
}

export interface JitterBufferOptions {
  /** Each packet is a frame (audio) instead of all of one timestamp. */
  readonly packetIsFrame: boolean;
  /** After a gap nothing is given out before a keyframe. */
  readonly waitForKeyframe: boolean;
  /** How long a frame waits for a missing packet before it is dropped. */
  readonly maxDelayMs: () => number;
  readonly isFrameStart: (packet: BufferedPacket) => boolean;
  readonly isKeyFrameStart: (packet: BufferedPacket) => boolean;
  /** Whether the frame that begins here decodes after the last one given out, whatever is missing in between. */
  readonly followsDirectly?: (packet: BufferedPacket) => boolean;
  /** All packets of a frame. `false` where they are no frame, or not what it must be: that is a gap. */
  readonly onFrame: (
    packets: readonly BufferedPacket[],
    frame: { readonly gapBefore: boolean; readonly mustBeKeyframe: boolean },
  ) => boolean;
  /** Decoding cannot go on without a keyframe. */
  readonly onKeyframeNeeded: () => void;
  /** Packets before `sequence` are of no use any more. */
  readonly onPassed: (sequence: number) => void;
}

/** Packets kept at most, some 4 MB: a frame that never ends must not eat the memory. */
const MAX_PACKETS = 4096;

/**
 * Puts the packets of one stream in order and into frames. A frame is given out as soon as it is whole and all
 * before it were given out or given up; there is no delay beyond that.
 */
export class JitterBuffer {
  readonly #options: JitterBufferOptions;
  /** In order of arrival, which is what `Map` keeps. */
  readonly #packets = new Map<number, BufferedPacket>();
  /** First packet of the frame being put together; `undefined` until a frame can begin. */
  #next: number | undefined;
  /** First packet not looked at; those from `#next` to it are all there and of one frame. */
  #scan = 0;
  #timestamp: number | undefined;
  /** Packets before it are late. */
  #floor = Number.NEGATIVE_INFINITY;
  #highest = Number.NEGATIVE_INFINITY;
  #deadlineMs: number | undefined;
  #gap = false;
  #dropped = 0;
  /** A frame was given out: what is dropped from now on is missed by someone. */
  #started = false;
  #needsKeyframe: boolean;

  constructor(options: JitterBufferOptions) {
    this.#options = options;
    this.#needsKeyframe = options.waitForKeyframe;
  }

  /** Frames, or beginnings of frames, that were thrown away. */
  get framesDropped(): number {
    return this.#dropped;
  }

  /** Nothing can be given out until a keyframe comes. */
  get waitsForKeyframe(): boolean {
    return this.#needsKeyframe;
  }

  /** When `expire` is to be called; `undefined` while nothing waits. */
  get deadlineMs(): number | undefined {
    return this.#deadlineMs;
  }

  insert(packet: BufferedPacket): void {
    if (packet.sequence < this.#floor || this.#packets.has(packet.sequence)) return;
    this.#packets.set(packet.sequence, packet);
    if (packet.sequence > this.#highest) this.#highest = packet.sequence;
    if (this.#next === undefined) {
      this.#begin(packet);
      if (this.#next === undefined && this.#needsKeyframe) this.#options.onKeyframeNeeded();
    }
    this.#advance(packet.receivedMs);
    if (this.#packets.size > MAX_PACKETS) this.#skip(packet.receivedMs);
  }

  /** Gives up what has waited too long. */
  expire(nowMs: number): void {
    if (this.#next === undefined) {
      this.#prune(nowMs);
      return;
    }
    while (this.#deadlineMs !== undefined && nowMs >= this.#deadlineMs) this.#skip(nowMs);
  }

  /** The stream begins anew at `sequence`: what is kept belongs to no frame that will be whole. */
  restart(sequence: number): void {
    this.#drop(sequence);
    this.#lose();
  }

  /** Begins at a packet that can begin a frame. */
  #begin(packet: BufferedPacket): void {
    const { packetIsFrame, isKeyFrameStart, isFrameStart } = this.#options;
    if (packet.payload.length === 0) return;
    const begins = this.#needsKeyframe ? isKeyFrameStart(packet) : packetIsFrame || isFrameStart(packet);
    if (begins) this.#resumeAt(packet.sequence);
  }

  #resumeAt(sequence: number): void {
    this.#drop(sequence);
    this.#next = sequence;
    this.#scan = sequence;
    this.#timestamp = undefined;
    this.#pass(sequence);
  }

  /** Goes on over all packets that are there, giving out the frames that end. */
  #advance(nowMs: number): void {
    const scannedFrom = this.#scan;
    while (this.#next !== undefined) {
      const packet = this.#packets.get(this.#scan);
      if (!packet) break;
      if (packet.payload.length === 0) {
        this.#scan += 1;
        if (this.#timestamp === undefined) this.#consume();
      } else if (this.#options.packetIsFrame) {
        this.#scan += 1;
        this.#finish();
      } else if (this.#timestamp !== undefined && packet.timestamp !== this.#timestamp) {
        this.#finish();
      } else {
        this.#timestamp = packet.timestamp;
        this.#scan += 1;
        if (packet.marker) this.#finish();
      }
    }
    this.#setDeadline(nowMs, this.#scan !== scannedFrom);
  }

  /** The wait for a gap begins when the first packet after it came. */
  #setDeadline(nowMs: number, moved: boolean): void {
    const delay = this.#options.maxDelayMs();
    if (this.#next === undefined) {
      this.#deadlineMs = this.#packets.size > 0 ? (this.#deadlineMs ?? nowMs + delay) : undefined;
    } else if (this.#highest <= this.#scan) {
      this.#deadlineMs = undefined;
    } else if (moved || this.#deadlineMs === undefined) {
      let since = nowMs;
      for (const packet of this.#packets.values()) {
        if (packet.sequence <= this.#scan) continue;
        since = packet.receivedMs;
        break;
      }
      this.#deadlineMs = since + delay;
    }
  }

  /** Takes the packets before `#scan` out. */
  #consume(): BufferedPacket[] {
    const taken: BufferedPacket[] = [];
    for (let sequence = this.#next!; sequence < this.#scan; sequence += 1) {
      const packet = this.#packets.get(sequence)!;
      this.#packets.delete(sequence);
      if (packet.payload.length > 0) taken.push(packet);
    }
    this.#next = this.#scan;
    this.#timestamp = undefined;
    this.#pass(this.#scan);
    return taken;
  }

  #finish(): void {
    const packets = this.#consume();
    const frame = { gapBefore: this.#gap, mustBeKeyframe: this.#needsKeyframe };
    // Before the frame is given out: its listener may look at the state.
    this.#gap = false;
    this.#needsKeyframe = false;
    if (this.#options.onFrame(packets, frame)) {
      this.#started = true;
      return;
    }
    if (this.#started) this.#dropped += 1;
    this.#lose();
  }

  /** Goes on behind the gap: at a keyframe where decoding needs one, else at the next frame. */
  #skip(nowMs: number): void {
    const { waitForKeyframe, packetIsFrame, isKeyFrameStart, isFrameStart } = this.#options;
    const from = this.#scan;
    let resume: number | undefined;
    let follows = false;
    for (const packet of this.#packets.values()) {
      const { sequence } = packet;
      if (sequence <= from || packet.payload.length === 0 || (resume !== undefined && sequence > resume))
        continue;
      const begins = waitForKeyframe ? isKeyFrameStart(packet) : packetIsFrame || isFrameStart(packet);
      const continues = !begins && this.#follows(packet);
      if (!begins && !continues) continue;
      resume = sequence;
      follows = continues;
    }
    if (resume === undefined) {
      this.#drop(this.#highest + 1);
      this.#lose();
    } else {
      this.#gap = this.#started;
      this.#needsKeyframe = waitForKeyframe && !follows;
      this.#resumeAt(resume);
    }
    this.#deadlineMs = undefined;
    this.#advance(nowMs);
  }

  /** Decoding may go on here without a keyframe: only frames are missing that nothing else needs. */
  #follows(packet: BufferedPacket): boolean {
    const { followsDirectly, isFrameStart } = this.#options;
    if (!followsDirectly || !this.#started || this.#needsKeyframe) return false;
    return isFrameStart(packet) && followsDirectly(packet);
  }

  /** Frames are missing from here on. */
  #lose(): void {
    this.#gap = this.#started;
    this.#timestamp = undefined;
    this.#deadlineMs = undefined;
    if (!this.#options.waitForKeyframe) return;
    this.#next = undefined;
    this.#needsKeyframe = true;
    for (const packet of [...this.#packets.values()].sort((a, b) => a.sequence - b.sequence)) {
      if (this.#next === undefined) this.#begin(packet);
    }
    if (this.#next === undefined) this.#options.onKeyframeNeeded();
  }

  /** Removes packets before `sequence`. */
  #drop(sequence: number): void {
    this.#remove((packet) => packet.sequence < sequence);
    this.#pass(sequence);
    if (this.#next !== undefined && this.#next < sequence) this.#next = undefined;
  }

  /** Removes packets, counting the frames that they are of. */
  #remove(matches: (packet: BufferedPacket) => boolean): void {
    const timestamps = new Set<number>();
    for (const packet of this.#packets.values()) {
      if (!matches(packet)) continue;
      this.#packets.delete(packet.sequence);
      if (packet.payload.length > 0) timestamps.add(packet.timestamp);
    }
    if (this.#started) this.#dropped += timestamps.size;
  }

  #pass(sequence: number): void {
    if (sequence <= this.#floor) return;
    this.#floor = sequence;
    this.#options.onPassed(sequence);
  }

  /** While no frame can begin, keeps only what a reordered beginning may still complete. */
  #prune(nowMs: number): void {
    const delay = this.#options.maxDelayMs();
    this.#remove((packet) => nowMs - packet.receivedMs >= delay);
    const oldest = this.#packets.values().next().value;
    this.#deadlineMs = oldest === undefined ? undefined : oldest.receivedMs + delay;
  }
}
