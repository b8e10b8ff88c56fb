/** Voices for tests: each a tone of its own pitch, so that whoever decodes what he gets knows whom he heard. */
import { Application, createDecoder, createEncoder } from 'libopus-wasm';
import type { EncodedSource, SourceSink } from '../../../../src/media/types.ts';

const SAMPLE_RATE = 48_000;
const FRAME_MS = 20;
const FRAME_SAMPLES = (SAMPLE_RATE * FRAME_MS) / 1000;
/** Opus on DTX sends one packet of this kind in so many frames: a TOC byte alone, SILK wideband of 20 ms. */
const DTX_PACKET = Buffer.from([0x48]);
const DTX_FRAMES = 20;
const SILENT = 127;

/** Pitch of the nth voice, Hz: far enough from each other to tell them within 20 ms. */
export function pitch(index: number): number {
  return 300 + index * 150;
}

/** Encodes a second of each tone, and of silence, once. */
export async function encodeTones(count: number): Promise<Buffer[][]> {
  const tones: Buffer[][] = [];
  for (let index = 0; index < count; index++)
    tones.push(await encode((t) => 0.3 * Math.sin(2 * Math.PI * pitch(index) * t)));
  return tones;
}

async function encode(sample: (seconds: number) => number): Promise<Buffer[]> {
  const encoder = await createEncoder({
    channels: 1,
    application: Application.Voip,
    bitrate: 32_000,
    vbr: false,
  });
  const packets: Buffer[] = [];
  for (let frame = 0; frame < 1000 / FRAME_MS; frame++) {
    const pcm = Float32Array.from({ length: FRAME_SAMPLES }, (_, i) =>
      sample((frame * FRAME_SAMPLES + i) / SAMPLE_RATE),
    );
    packets.push(Buffer.from(encoder.encodeFloat(pcm)));
  }
  encoder.free();
  return packets;
}

export class Voice implements EncodedSource {
  readonly audio = { codec: 'opus', channels: 1 } as const;
  readonly #tone: readonly Buffer[];
  readonly #dtx: boolean;
  #level = SILENT;
  #sink: SourceSink | undefined;
  #timer: NodeJS.Timeout | undefined;
  #startedAt = 0;
  #frames = 0;

  /** @param dtx a silent voice sends a packet of one byte now and then; without it the tone goes on at level 127. */
  constructor(tone: readonly Buffer[], { dtx = true } = {}) {
    this.#tone = tone;
    this.#dtx = dtx;
  }

  /** −dBov; the next frame has it. */
  talk(level = 30): void {
    this.#level = level;
  }

  hush(): void {
    this.#level = SILENT;
  }

  start(sink: SourceSink): void {
    this.#sink = sink;
    this.#startedAt = performance.now();
    this.#timer = setInterval(() => this.#due(), FRAME_MS / 2);
  }

  #due(): void {
    const due = (performance.now() - this.#startedAt) / FRAME_MS;
    // What a busy machine held up comes late, as from a sound card, unless it is too much.
    if (due - this.#frames > 50) this.#frames = Math.floor(due);
    for (; this.#frames < due; this.#frames++) this.#frame(this.#frames);
  }

  #frame(index: number): void {
    const silent = this.#level === SILENT && this.#dtx;
    if (silent && index % DTX_FRAMES !== 0) return;
    this.#sink?.frame({
      kind: 'audio',
      layer: 0,
      data: silent ? DTX_PACKET : this.#tone[index % this.#tone.length]!,
      keyframe: true,
      timestampUs: index * FRAME_MS * 1000,
      durationUs: FRAME_MS * 1000,
      audioLevel: this.#level,
    });
  }

  requestKeyFrame(): void {}
  setLayerActive(): void {}

  async close(): Promise<void> {
    clearInterval(this.#timer);
  }
}

/** Which voices are heard in what a slot brought; decodes everything with one decoder, in order. */
export async function listenTo(
  frames: readonly { data: Uint8Array; rtpTimestamp: number }[],
  voices: number,
): Promise<{ rtpTimestamp: number; voice: number | undefined }[]> {
  const decoder = await createDecoder({ channels: 1 });
  const heard = frames.map(({ data, rtpTimestamp }) => {
    const pcm = decoder.decodeFloat(data, { frameSize: FRAME_SAMPLES });
    const powers = Array.from({ length: voices }, (_, index) => power(pcm, pitch(index)));
    const loudest = powers.indexOf(Math.max(...powers));
    const total = pcm.reduce((sum, value) => sum + value * value, 0) / pcm.length;
    // A tone of 0.3 has a power of 0.045.
    // What a decoder makes of a DTX packet is the end of the sound before it.
    const sounds = data.length > DTX_PACKET.length && total > 0.01;
    return { rtpTimestamp, voice: sounds ? loudest : undefined };
  });
  decoder.free();
  return heard;
}

/** Power of one frequency (Goertzel). */
function power(pcm: Float32Array, frequency: number): number {
  const coefficient = 2 * Math.cos((2 * Math.PI * frequency) / SAMPLE_RATE);
  let [before, last] = [0, 0];
  for (const sample of pcm) [before, last] = [last, sample + coefficient * last - before];
  return last * last + before * before - coefficient * last * before;
}
