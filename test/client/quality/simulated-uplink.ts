/** A publisher of three layers and sound over a simulated bottleneck, on a simulated clock. */
import { Uplink } from '../../../src/client/quality/uplink.ts';
import type { RtpSender } from '../../../src/client/rtp/sender.ts';
import { extensions, numberedFrame, sessionPair, videoReceiver } from '../rtp/session-pair.ts';
import { testPacketizer } from '../rtp/test-codec.ts';

export const BITRATES = [150_000, 600_000, 1_500_000];
const FRAME_MS = 1000 / 30;
/** UDP and IPv4 headers of every packet on the link. */
const HEADER_BYTES = 28;

export interface Link {
  /** Bits a second. */
  rate: number;
  /** How long a packet may wait before it is dropped, milliseconds. */
  maxQueueMs: number;
  delayMs: number;
  jitterMs: number;
  /** Random loss, 0 to 1. */
  loss: number;
  /** Bytes that a token bucket lets through at once after a pause. */
  burstBytes: number;
  /** Nothing arrives before this time, and then everything that came meanwhile: radios and busy servers do that. */
  stalledUntilMs: number;
}

export interface LayerRecord {
  readonly sent: number[];
  /** Frame number → arrival after sending, milliseconds. */
  readonly received: Map<number, number>;
}

export interface SimulationOptions extends Partial<Link> {
  readonly seed?: number;
  readonly wanted?: readonly number[];
}

/** Runs the publisher; `change` the link between calls of `run`. */
export function simulateUplink(options: SimulationOptions = {}) {
  const link: Link = {
    rate: 10e6,
    maxQueueMs: 200,
    delayMs: 20,
    jitterMs: 0,
    loss: 0,
    burstBytes: 0,
    stalledUntilMs: 0,
    ...options,
  };
  const random = seeded(options.seed ?? 1);
  let freeAtMs = 0;
  let wireBytes = 0;
  let tokens = 0;
  let tokensAtMs = 0;
  let largestQueueMs = 0;
  const forth = (packet: Buffer): number[] => {
    const now = pair.clock.now();
    const bytes = packet.length + HEADER_BYTES;
    wireBytes += bytes;
    if (random() < link.loss) return [];
    tokens = Math.min(link.burstBytes, tokens + ((now - tokensAtMs) * link.rate) / 8000);
    tokensAtMs = now;
    const jitter = random() * link.jitterMs;
    const stall = Math.max(0, startMs + link.stalledUntilMs - now);
    if (stall > 0) return [stall + link.delayMs];
    if (tokens >= bytes && freeAtMs <= now) {
      tokens -= bytes;
      return [link.delayMs + jitter];
    }
    const start = Math.max(now, freeAtMs);
    if (start - now > link.maxQueueMs) return [];
    freeAtMs = start + (bytes * 8000) / link.rate;
    largestQueueMs = Math.max(largestQueueMs, freeAtMs - now);
    tokens = 0;
    return [freeAtMs - now + link.delayMs + jitter];
  };
  let startMs = 0;
  const pair = sessionPair({ forth, back: () => [link.delayMs], targetBitrate: 2_300_000 });
  const { a, b, clock } = pair;
  startMs = clock.now();
  const packetizer = testPacketizer(1150);
  const records: LayerRecord[] = BITRATES.map(() => ({ sent: [], received: new Map() }));
  const sentAt = BITRATES.map(() => new Map<number, number>());
  const senders: RtpSender[] = BITRATES.map((_, layer) => {
    const sender = a.addSender({
      kind: 'video',
      ssrc: 100 + layer,
      rtxSsrc: 200 + layer,
      payloadType: 96,
      rtxPayloadType: 97,
      clockRate: 90_000,
      mid: '1',
      rid: `r${layer}`,
      extensions,
      packetizer,
    });
    const receiver = b.addReceiver({ ...videoReceiver, ssrc: 100 + layer, rtxSsrc: 200 + layer });
    receiver.on('frame', ({ data }) => {
      const number = data.readUInt32BE(0);
      records[layer]!.received.set(number, clock.now() - sentAt[layer]!.get(number)!);
    });
    sender.on('keyframe-request', () => {
      keyWanted[layer] = true;
    });
    return sender;
  });
  const audio = a.addSender({
    kind: 'audio',
    ssrc: 50,
    payloadType: 111,
    clockRate: 48_000,
    mid: '0',
    extensions,
    packetizer: testPacketizer(1150),
  });
  const audioArrivals = new Map<number, number>();
  const uplink = new Uplink(a, { bitrates: BITRATES, audio: true, clock });
  const changes: { atMs: number; active: readonly number[] }[] = [];
  const keyWanted = BITRATES.map(() => true);
  let active = uplink.active;
  uplink.on('layers', (layers) => {
    for (const layer of layers) if (!active.includes(layer)) keyWanted[layer] = true;
    active = layers;
    senders.forEach((sender, layer) => {
      sender.setActive(layers.includes(layer));
    });
    changes.push({ atMs: clock.now() - startMs, active: layers });
  });
  if (options.wanted) uplink.setWanted(options.wanted);

  let frame = 0;
  let audioFrame = 0;
  const audioSentAt = new Map<number, number>();
  const audioReceiver = b.addReceiver({
    ...videoReceiver,
    kind: 'audio',
    ssrc: 50,
    rtxSsrc: undefined as never,
    nack: false,
    payloads: new Map([
      [111, { ...videoReceiver.payloads.get(96)!, clockRate: 48_000, codec: 'opus' as const }],
    ]),
  });
  audioReceiver.on('frame', ({ data }) => {
    const number = data.readUInt32BE(0);
    audioArrivals.set(number, clock.now() - audioSentAt.get(number)!);
  });

  const step = () => {
    const now = clock.now() - startMs;
    while (audioFrame * 20 <= now) {
      audioSentAt.set(audioFrame, clock.now());
      audio.sendFrame({
        data: numberedFrame(audioFrame, 90),
        keyframe: true,
        timestampUs: audioFrame * 20_000,
        captureTimeMs: clock.now(),
      });
      audioFrame += 1;
    }
    while (frame * FRAME_MS <= now) {
      for (const layer of active) {
        const keyframe = keyWanted[layer]! || frame % 30 === 0;
        keyWanted[layer] = false;
        // A keyframe takes five pictures' worth, and those of its second share the rest.
        const mean = BITRATES[layer]! / 8 / 30;
        const bytes = keyframe ? mean * 5 : mean * (25 / 29) * (0.8 + random() * 0.4);
        records[layer]!.sent.push(frame);
        sentAt[layer]!.set(frame, clock.now());
        senders[layer]!.sendFrame({
          data: numberedFrame(frame, Math.round(bytes)),
          keyframe,
          timestampUs: Math.round(frame * FRAME_MS * 1000),
          captureTimeMs: clock.now(),
        });
      }
      frame += 1;
    }
  };

  return {
    link,
    uplink,
    changes,
    records,
    audioArrivals,
    get nowMs() {
      return clock.now() - startMs;
    },
    get audioSent() {
      return audioFrame;
    },
    get frame() {
      return frame;
    },
    get wireBytes() {
      return wireBytes;
    },
    /** The longest wait in the bottleneck since the last call, milliseconds. */
    takeLargestQueueMs() {
      const largest = largestQueueMs;
      largestQueueMs = 0;
      return largest;
    },
    run(seconds: number) {
      const end = clock.now() + seconds * 1000;
      while (clock.now() < end) {
        step();
        clock.advance(Math.min(1, end - clock.now()));
      }
    },
    close() {
      uplink.close();
      a.close();
      b.close();
    },
  };
}

function seeded(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
