import { describe, expect, test } from 'vitest';
import { joinObus, OBU, splitObus } from '../../../src/media/rtp/av1-obu.ts';
import {
  codecString,
  createDepacketizer,
  createPacketizer,
  DEFAULT_MAX_PAYLOAD_BYTES,
  opusDurationUs,
} from '../../../src/media/rtp/index.ts';
import { runFfmpeg } from '../../support/barcode-ffmpeg.ts';
import { encodeOpus, encodeVideo, ivf, VIDEO_ENCODERS } from './encoded.ts';

const SIZE = { width: 322, height: 182 };
const FRAMES = 24;
const GOP = 12;
const ENCODE = { ...SIZE, frames: FRAMES, gop: GOP, bFrames: 2 };

const CODEC_STRINGS = {
  vp8: /^vp8$/,
  vp9: /^vp09\.00\.11\.08$/,
  h264: /^avc1\.6400[01][0-9a-f]$/,
  av1: /^av01\.0\.\d\dM\.08$/,
};

/** What the packetizer may leave out: temporal delimiters and padding of AV1. */
function expected(codec: string, frame: Buffer): Buffer {
  if (codec !== 'av1') return frame;
  const kept = splitObus(frame)!.filter(({ type }) => type !== OBU.temporalDelimiter && type !== OBU.padding);
  return joinObus(kept);
}

describe.each(VIDEO_ENCODERS)('$codec of $encoder', ({ encoder, codec }) => {
  test.each([DEFAULT_MAX_PAYLOAD_BYTES, 200])(
    'comes back byte for byte in payloads of at most %i bytes',
    async (maxPayloadBytes) => {
      const { frames, keyframes } = await encodeVideo(encoder, ENCODE);
      expect(frames).toHaveLength(FRAMES);
      const packetizer = createPacketizer(codec, { maxPayloadBytes });
      const depacketizer = createDepacketizer(codec);
      for (const [i, frame] of frames.entries()) {
        const keyframe = keyframes.includes(i);
        const payloads = packetizer.packetize(frame, { keyframe });
        for (const payload of payloads) expect(payload.length).toBeLessThanOrEqual(maxPayloadBytes);
        const starts = payloads.map((payload) => depacketizer.isFrameStart(payload));
        expect(starts[0]).toBe(true);
        // H.264 slices and parameter sets of one picture each begin a NAL unit; only the first begins a frame
        // for certain in the other formats.
        if (codec !== 'h264' && codec !== 'av1') expect(starts.slice(1)).not.toContain(true);
        expect(depacketizer.isKeyFrameStart(payloads[0]!)).toBe(keyframe);
        const back = depacketizer.depacketize(payloads)!;
        expect(back.data.equals(expected(codec, frame))).toBe(true);
        expect(back.keyframe).toBe(keyframe);
        expect([back.width, back.height]).toEqual(keyframe ? [322, 182] : [undefined, undefined]);
        if (keyframe) expect(codecString(codec, back.data)).toMatch(CODEC_STRINGS[codec]);
      }
    },
    60_000,
  );

  test('decodes to the same pictures after the round trip', async () => {
    const { frames } = await encodeVideo(encoder, ENCODE);
    const packetizer = createPacketizer(codec);
    const depacketizer = createDepacketizer(codec);
    const back = frames.map(
      (frame, i) => depacketizer.depacketize(packetizer.packetize(frame, { keyframe: i % GOP === 0 }))!.data,
    );
    const sent = await decodedHashes(codec, frames);
    expect(sent).toHaveLength(FRAMES);
    expect(await decodedHashes(codec, back)).toEqual(sent);
  }, 60_000);
});

/** MD5 of each decoded picture. */
async function decodedHashes(
  codec: 'vp8' | 'vp9' | 'h264' | 'av1',
  frames: readonly Buffer[],
): Promise<string[]> {
  const input = codec === 'h264' ? Buffer.concat(frames) : ivf(codec, SIZE.width, SIZE.height, frames);
  const { stdout } = await runFfmpeg(
    [
      ...['-v', 'error', '-f', codec === 'h264' ? 'h264' : 'ivf', '-i', 'pipe:0'],
      ...['-vsync', '0', '-f', 'framemd5', 'pipe:1'],
    ],
    { input },
  );
  const lines = stdout.toString().split('\n');
  return lines.filter((line) => /^0,/.test(line)).map((line) => line.split(',').at(-1)!.trim());
}

describe('opus of libopus', () => {
  test('comes back byte for byte, with the durations of its table of contents', async () => {
    for (const ms of [2.5, 10, 20, 60]) {
      const packets = await encodeOpus(0.6, ['-frame_duration', String(ms)]);
      const packetizer = createPacketizer('opus');
      const depacketizer = createDepacketizer('opus');
      expect(packets.length).toBeGreaterThanOrEqual(600 / ms);
      for (const packet of packets) {
        const payloads = packetizer.packetize(packet, { keyframe: true });
        expect(payloads).toHaveLength(1);
        const back = depacketizer.depacketize(payloads)!;
        expect(back.data.equals(packet)).toBe(true);
        expect(back.keyframe).toBe(true);
        expect(opusDurationUs(packet)).toBe(ms * 1000);
      }
    }
  });
});
