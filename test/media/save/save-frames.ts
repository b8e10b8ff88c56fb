/** Frames to save, from real encoders, and what a finished file holds. */
import { createDepacketizer, createPacketizer } from '../../../src/media/rtp/index.ts';
import type { SavedFrame } from '../../../src/media/save/index.ts';
import type { VideoCodec } from '../../../src/media/types.ts';
import { runFfmpeg } from '../../support/barcode-ffmpeg.ts';
import { encodeVideo } from '../rtp/encoded.ts';

export const START_MS = 1_700_000_000_000;
export const FRAME_MS = 1000 / 30;

/** Pictures as a receiver gets them, over RTP, 33.3 ms apart. */
export async function receivedVideo(
  encoder: string,
  codec: VideoCodec,
  options: { width: number; height: number; frames: number; gop: number },
): Promise<SavedFrame[]> {
  const encoded = await encodeVideo(encoder, options);
  const packetizer = createPacketizer(codec);
  const depacketizer = createDepacketizer(codec);
  return encoded.frames.map((frame, i) => {
    const payloads = packetizer.packetize(frame, { keyframe: encoded.keyframes.includes(i) });
    const mediaTimeMs = 500_000 + i * FRAME_MS;
    return { ...depacketizer.depacketize(payloads)!, mediaTimeMs, receivedAtMs: START_MS + i * FRAME_MS };
  });
}

/** Times of the packets in the file, seconds; `decoded` gives those of the pictures or samples. */
export async function fileTimes(path: string, how: 'packets' | 'decoded'): Promise<number[]> {
  const copy = how === 'packets' ? ['-c', 'copy'] : [];
  // Without -copyts the times would begin at that of the first packet.
  const { stdout } = await runFfmpeg([
    ...['-v', 'error', '-nostdin', '-copyts', '-i', path, ...copy, '-vsync', '0'],
    ...['-f', 'framecrc', 'pipe:1'],
  ]);
  const text = stdout.toString();
  const [numerator, denominator] = /#tb 0: (\d+)\/(\d+)/.exec(text)!.slice(1).map(Number);
  const lines = text.split('\n').filter((line) => line.startsWith('0,'));
  return lines.map((line) => (Number(line.split(',')[2]) * numerator!) / denominator!);
}

/** What ffmpeg says of the file: duration in seconds and its complaints. */
export async function probe(
  path: string,
): Promise<{ readonly durationSeconds: number | undefined; readonly text: string }> {
  const { stderr } = await runFfmpeg(['-nostdin', '-i', path, '-map', '0', '-f', 'null', '-']);
  const [, hours, minutes, seconds] = /Duration: (\d+):(\d+):([\d.]+)/.exec(stderr) ?? [];
  const durationSeconds =
    hours === undefined ? undefined : Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  return { durationSeconds, text: stderr };
}
