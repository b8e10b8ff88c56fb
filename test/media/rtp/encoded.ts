/** Real encoded media of every codec, made by ffmpeg. */
import { splitAnnexB } from '../../../src/media/rtp/h264-nal.ts';
import type { Codec, VideoCodec } from '../../../src/media/types.ts';
import { hasEncoder, runFfmpeg } from '../../support/barcode-ffmpeg.ts';

/** Encoder arguments by ffmpeg's name of the encoder. */
const ENCODERS: Readonly<Record<string, { codec: VideoCodec; args: readonly string[] }>> = {
  libvpx: { codec: 'vp8', args: ['-deadline', 'realtime', '-cpu-used', '8'] },
  'libvpx-vp9': { codec: 'vp9', args: ['-deadline', 'good', '-cpu-used', '5', '-lag-in-frames', '10'] },
  libx264: {
    codec: 'h264',
    args: ['-preset', 'veryfast', '-x264-params', 'slices=3:scenecut=0'],
  },
  'libaom-av1': { codec: 'av1', args: ['-cpu-used', '8', '-strict', '-2'] },
  libsvtav1: { codec: 'av1', args: ['-preset', '12'] },
};

export const VIDEO_ENCODERS: readonly { readonly encoder: string; readonly codec: VideoCodec }[] =
  Object.entries(ENCODERS)
    .filter(([encoder]) => hasEncoder(encoder))
    .map(([encoder, { codec }]) => ({ encoder, codec }));

export interface Encoded {
  readonly frames: readonly Buffer[];
  /** Indices of the keyframes in `frames`. */
  readonly keyframes: readonly number[];
}

export interface EncodeOptions {
  readonly width: number;
  readonly height: number;
  readonly frames: number;
  readonly gop: number;
  /** H.264: B-frames between others; none by default, as WebRTC has none. */
  readonly bFrames?: number;
}

const encodings = new Map<string, Promise<Encoded>>();

/**
 * Frames of a moving test picture at 30 frames a second, with a keyframe every `gop` frames. Encoded once
 * for each set of options: the AV1 encoder of 2018 takes half a minute for a second.
 */
export function encodeVideo(encoder: string, options: EncodeOptions): Promise<Encoded> {
  const key = JSON.stringify([encoder, options]);
  const encoding = encodings.get(key) ?? encode(encoder, options);
  encodings.set(key, encoding);
  return encoding;
}

async function encode(encoder: string, options: EncodeOptions): Promise<Encoded> {
  const { width, height, frames, gop, bFrames = 0 } = options;
  const { codec, args } = ENCODERS[encoder]!;
  const input = ['-f', 'lavfi', '-i', `testsrc2=s=${width}x${height}:r=30`, '-frames:v', String(frames)];
  const rate = ['-b:v', '600k', '-g', String(gop), '-keyint_min', String(gop)];
  const container = codec === 'h264' ? ['-bf', String(bFrames), '-aud', '1', '-f', 'h264'] : ['-f', 'ivf'];
  const { stdout } = await runFfmpeg([
    ...['-v', 'error', '-nostdin', ...input, '-pix_fmt', 'yuv420p', '-c:v', encoder, ...args, ...rate],
    ...[...container, 'pipe:1'],
  ]);
  const list = codec === 'h264' ? accessUnits(stdout) : ivfFrames(stdout);
  return { frames: list, keyframes: list.flatMap((_, i) => (i % gop === 0 ? [i] : [])) };
}

/** Opus packets of a tone. */
export async function encodeOpus(seconds: number, args: readonly string[] = []): Promise<Buffer[]> {
  const { stdout } = await runFfmpeg([
    ...['-v', 'error', '-nostdin', '-f', 'lavfi', '-i', `sine=f=440:r=48000:d=${seconds}`, '-ac', '2'],
    ...['-c:a', 'libopus', '-b:a', '32k', ...args, '-f', 'ogg', '-page_duration', '1', 'pipe:1'],
  ]);
  return oggPackets(stdout).slice(2);
}

export function ivfFrames(ivf: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let offset = ivf.readUInt16LE(6); offset + 12 <= ivf.length; ) {
    const size = ivf.readUInt32LE(offset);
    frames.push(ivf.subarray(offset + 12, offset + 12 + size));
    offset += 12 + size;
  }
  return frames;
}

/** An IVF file of the frames, one timestamp tick each. */
export function ivf(codec: Codec, width: number, height: number, frames: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(32);
  header.write('DKIF', 0, 'latin1');
  header.writeUInt16LE(32, 6);
  header.write({ vp8: 'VP80', vp9: 'VP90', av1: 'AV01', h264: 'H264', opus: 'opus' }[codec], 8, 'latin1');
  header.writeUInt16LE(width, 12);
  header.writeUInt16LE(height, 14);
  header.writeUInt32LE(30, 16);
  header.writeUInt32LE(1, 20);
  header.writeUInt32LE(frames.length, 24);
  const parts = frames.flatMap((frame, i) => {
    const head = Buffer.alloc(12);
    head.writeUInt32LE(frame.length, 0);
    head.writeUInt32LE(i, 4);
    return [head, frame];
  });
  return Buffer.concat([header, ...parts]);
}

/** Access units of an Annex B stream with delimiters, with four-byte start codes. */
function accessUnits(stream: Buffer): Buffer[] {
  const units: Buffer[][] = [];
  for (const nal of splitAnnexB(stream)) {
    if ((nal[0]! & 0x1f) === 9) units.push([]);
    units.at(-1)?.push(Buffer.from([0, 0, 0, 1]), nal);
  }
  return units.map((unit) => Buffer.concat(unit));
}

function oggPackets(ogg: Buffer): Buffer[] {
  const packets: Buffer[] = [];
  let open: Buffer[] = [];
  for (let offset = 0; offset + 27 <= ogg.length; ) {
    const segments = ogg[offset + 26]!;
    const lacing = ogg.subarray(offset + 27, offset + 27 + segments);
    let at = offset + 27 + segments;
    for (const size of lacing) {
      open.push(ogg.subarray(at, at + size));
      at += size;
      if (size < 255) {
        packets.push(Buffer.concat(open));
        open = [];
      }
    }
    offset = at;
  }
  return packets;
}
