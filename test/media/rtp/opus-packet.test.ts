import { describe, expect, test } from 'vitest';
import { createDepacketizer, createPacketizer, parseOpusPacket } from '../../../src/media/rtp/index.ts';

const toc = (config: number, code: number, stereo = false) => (config << 3) | (stereo ? 4 : 0) | code;

describe('opus packet (RFC 6716 section 3)', () => {
  test.each([
    { config: 0, mode: 'silk', durationUs: 10_000 },
    { config: 3, mode: 'silk', durationUs: 60_000 },
    { config: 9, mode: 'silk', durationUs: 20_000 },
    { config: 12, mode: 'hybrid', durationUs: 10_000 },
    { config: 15, mode: 'hybrid', durationUs: 20_000 },
    { config: 16, mode: 'celt', durationUs: 2_500 },
    { config: 31, mode: 'celt', durationUs: 20_000 },
  ])('configuration $config is $mode of $durationUs µs', ({ config, mode, durationUs }) => {
    const packet = Buffer.from([toc(config, 0, true), 1, 2, 3]);
    expect(parseOpusPacket(packet)).toEqual({ mode, channels: 2, frames: 1, durationUs });
  });

  test('counts the frames of codes 1, 2 and 3', () => {
    expect(parseOpusPacket(Buffer.from([toc(15, 1), 1, 2]))?.durationUs).toBe(40_000);
    expect(parseOpusPacket(Buffer.from([toc(15, 2), 1, 9, 8]))?.frames).toBe(2);
    // Code 3 with constant size, with padding, and with sizes of their own.
    expect(parseOpusPacket(Buffer.from([toc(15, 3), 3, 7, 7, 7]))?.durationUs).toBe(60_000);
    expect(parseOpusPacket(Buffer.from([toc(15, 3), 0x40 | 1, 2, 7, 0, 0]))?.frames).toBe(1);
    expect(parseOpusPacket(Buffer.from([toc(15, 3), 0x80 | 2, 1, 7, 8, 8]))?.frames).toBe(2);
  });

  test.each([
    { what: 'no byte', bytes: [] },
    { what: 'code 1 of odd size', bytes: [toc(15, 1), 1, 2, 3] },
    { what: 'code 2 without its length', bytes: [toc(15, 2)] },
    { what: 'code 2 longer than the packet', bytes: [toc(15, 2), 200, 1] },
    { what: 'code 3 without its count', bytes: [toc(15, 3)] },
    { what: 'code 3 of no frames', bytes: [toc(15, 3), 0] },
    { what: 'code 3 longer than 120 ms', bytes: [toc(3, 3), 3, 1, 1, 1] },
    { what: 'code 3 with padding beyond its end', bytes: [toc(15, 3), 0x41, 255, 255, 1] },
    { what: 'code 3 with uneven frames', bytes: [toc(15, 3), 2, 1, 1, 1] },
  ])('$what is malformed', ({ bytes }) => {
    expect(parseOpusPacket(Buffer.from(bytes))).toBeUndefined();
  });
});

describe('opus payload (RFC 7587)', () => {
  test.each([{ bytes: [] }, { bytes: [0x78] }, { bytes: [0x78, 0xff] }])(
    'DTX of $bytes survives',
    ({ bytes }) => {
      const frame = Buffer.from(bytes);
      const payloads = createPacketizer('opus').packetize(frame, { keyframe: true });
      expect(payloads).toHaveLength(1);
      expect(createDepacketizer('opus').depacketize(payloads)).toEqual({ data: frame, keyframe: true });
    },
  );

  test('two payloads are not one frame', () => {
    expect(createDepacketizer('opus').depacketize([Buffer.of(1), Buffer.of(2)])).toBeUndefined();
    expect(createDepacketizer('opus').depacketize([])).toBeUndefined();
  });
});
