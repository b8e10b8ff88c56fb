import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { joinAnnexB } from '../../../src/media/rtp/h264-nal.ts';
import {
  codecString,
  createDepacketizer,
  createPacketizer,
  parseOpusPacket,
} from '../../../src/media/rtp/index.ts';
import type { Codec } from '../../../src/media/types.ts';

const CODECS: readonly Codec[] = ['opus', 'vp8', 'vp9', 'h264', 'av1'];
const bytes = (min: number, max: number) =>
  fc.uint8Array({ minLength: min, maxLength: max, size: 'max' }).map((array) => Buffer.from(array));

describe.each(CODECS)('%s and hostile payloads', (codec) => {
  test('whatever comes, nothing is thrown and no more comes out than parameter sets allow', () => {
    const depacketizer = createDepacketizer(codec);
    fc.assert(
      fc.property(fc.array(bytes(0, 60), { maxLength: 6 }), (payloads) => {
        for (const payload of payloads) {
          depacketizer.isFrameStart(payload);
          depacketizer.isKeyFrameStart(payload);
        }
        const frame = depacketizer.depacketize(payloads);
        codecString(codec, payloads[0] ?? Buffer.alloc(0));
        if (frame === undefined) return;
        const given = payloads.reduce((total, payload) => total + payload.length, 0);
        expect(frame.data.length).toBeLessThanOrEqual(given * 6 + 2 * 16 * 4100);
        expect(frame.width ?? 1).toBeGreaterThan(0);
      }),
      { numRuns: 2000 },
    );
  });

  test('a good frame with bytes changed or cut off is a frame or nothing', () => {
    const packetizer = createPacketizer(codec, { maxPayloadBytes: 64 });
    const nal = Buffer.concat([Buffer.from([0, 0, 0, 1, 0x65]), Buffer.alloc(300, 0x42)]);
    const obu = Buffer.concat([Buffer.from([0x32, 0xac, 0x02]), Buffer.alloc(300, 0x42)]);
    const frame = codec === 'h264' ? nal : codec === 'av1' ? obu : Buffer.alloc(300, 0x83);
    const change = fc.record({ payload: fc.nat(), at: fc.nat(8), value: fc.nat(255), cut: fc.nat(20) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 4 }), (changes) => {
        const payloads = packetizer
          .packetize(frame, { keyframe: false })
          .map((payload) => Buffer.from(payload));
        for (const { payload, at, value, cut } of changes) {
          const index = payload % payloads.length;
          const target = payloads[index]!;
          if (at < target.length) target[at] = value;
          if (cut > 10) payloads[index] = target.subarray(0, Math.max(0, target.length - cut));
        }
        createDepacketizer(codec).depacketize(payloads);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('frames of any size', () => {
  const limit = fc.integer({ min: 64, max: 1400 });

  test.each(['vp8', 'vp9'] as const)('%s', (codec) => {
    fc.assert(
      fc.property(bytes(1, 6000), limit, (body, maxPayloadBytes) => {
        // An inter frame: its first byte says so in both codecs.
        const frame = Buffer.concat([Buffer.from([0x87, 0, 0]), body]);
        const payloads = createPacketizer(codec, { maxPayloadBytes }).packetize(frame, { keyframe: false });
        expect(Math.max(...payloads.map((payload) => payload.length))).toBeLessThanOrEqual(maxPayloadBytes);
        const depacketizer = createDepacketizer(codec);
        expect(depacketizer.depacketize(payloads)?.data.equals(frame)).toBe(true);
        if (payloads.length < 2) return;
        expect(depacketizer.depacketize(payloads.slice(1))).toBeUndefined();
        expect(depacketizer.depacketize(payloads.toReversed())).toBeUndefined();
      }),
      { numRuns: 200 },
    );
  });

  test('h264 of any NAL units', () => {
    const nal = bytes(0, 3000).chain((body) =>
      fc.integer({ min: 1, max: 12 }).map((type) => Buffer.from([0x60 | type, ...escaped(body), 0x80])),
    );
    fc.assert(
      fc.property(fc.array(nal, { minLength: 1, maxLength: 8 }), limit, (nals, maxPayloadBytes) => {
        const frame = joinAnnexB(nals);
        const payloads = createPacketizer('h264', { maxPayloadBytes }).packetize(frame, { keyframe: false });
        expect(Math.max(...payloads.map((payload) => payload.length))).toBeLessThanOrEqual(maxPayloadBytes);
        expect(createDepacketizer('h264').depacketize(payloads)?.data.equals(frame)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test('av1 of any OBUs', () => {
    const obu = fc.tuple(fc.constantFrom(0x0a, 0x1a, 0x22, 0x2a, 0x32), bytes(0, 3000));
    fc.assert(
      fc.property(fc.array(obu, { minLength: 1, maxLength: 8 }), limit, (obus, maxPayloadBytes) => {
        const frame = Buffer.concat(obus.flatMap(([header, body]) => [sized(header, body.length), body]));
        const payloads = createPacketizer('av1', { maxPayloadBytes }).packetize(frame, { keyframe: false });
        expect(Math.max(...payloads.map((payload) => payload.length))).toBeLessThanOrEqual(maxPayloadBytes);
        expect(createDepacketizer('av1').depacketize(payloads)?.data.equals(frame)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test('opus', () => {
    fc.assert(
      fc.property(bytes(0, 1500), (frame) => {
        const payloads = createPacketizer('opus').packetize(frame, { keyframe: true });
        expect(createDepacketizer('opus').depacketize(payloads)?.data.equals(frame)).toBe(true);
        const packet = parseOpusPacket(frame);
        if (packet) expect(packet.durationUs).toBeLessThanOrEqual(120_000);
      }),
    );
  });
});

/** What comes out shares no memory with what went in: a receiver reuses its buffers. */
test.each(CODECS)('%s frames are copies', (codec) => {
  const frame =
    codec === 'h264'
      ? Buffer.from([0, 0, 0, 1, 0x41, 0x9a, 3])
      : codec === 'av1'
        ? Buffer.from([0x32, 2, 0x30, 7])
        : Buffer.from([0x87, 1, 2, 3]);
  const payloads = createPacketizer(codec)
    .packetize(frame, { keyframe: false })
    .map((payload) => Buffer.from(payload));
  const back = createDepacketizer(codec).depacketize(payloads)!;
  for (const payload of payloads) payload.fill(0xff);
  expect(back.data.equals(frame)).toBe(true);
});

test('a limit that no payload format can keep is refused', () => {
  for (const maxPayloadBytes of [0, 63, 70_000, 100.5, Number.NaN]) {
    expect(() => createPacketizer('vp8', { maxPayloadBytes })).toThrow(RangeError);
  }
});

/** Without start codes in it, as an encoder's emulation prevention sees to. */
function escaped(body: Buffer): Buffer {
  return Buffer.from(body.map((byte) => (byte < 4 ? byte + 4 : byte)));
}

function sized(header: number, size: number): Buffer {
  return size < 128 ? Buffer.from([header, size]) : Buffer.from([header, (size & 0x7f) | 0x80, size >> 7]);
}
