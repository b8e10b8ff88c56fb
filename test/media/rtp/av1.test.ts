import { describe, expect, test } from 'vitest';
import { joinObus, leb128, leb128Bytes, readLeb128, splitObus } from '../../../src/media/rtp/av1-obu.ts';
import { parseAv1SequenceHeader } from '../../../src/media/rtp/av1-sequence-header.ts';
import { createDepacketizer, createPacketizer } from '../../../src/media/rtp/index.ts';

/** Sequence header (640x360, 8 bits, from libaom). */
const SEQUENCE = Buffer.from('0a0b0000000cc4ff6736be4010', 'hex');
const TEMPORAL_DELIMITER = Buffer.from([0x12, 0x00]);
const frame = (first: number, bytes: number) =>
  Buffer.concat([Buffer.from([0x32]), leb128(bytes), Buffer.from([first]), Buffer.alloc(bytes - 1, 0x55)]);
const INTER = frame(0b0_01_1_0000, 40);

describe('av1 OBUs', () => {
  test('leb128 numbers are written short and read in any length', () => {
    for (const value of [0, 1, 127, 128, 16_383, 16_384, 2 ** 32 - 1]) {
      const bytes = leb128(value);
      expect(bytes).toHaveLength(leb128Bytes(value));
      expect(readLeb128(bytes, 0)).toEqual({ value, next: bytes.length });
    }
    expect(readLeb128(Buffer.from([0x81, 0x80, 0x00]), 0)).toEqual({ value: 1, next: 3 });
    expect(readLeb128(Buffer.from([0x81]), 0)).toBeUndefined();
    expect(readLeb128(Buffer.alloc(9, 0x80), 0)).toBeUndefined();
    expect(readLeb128(Buffer.from([0xff, 0xff, 0xff, 0xff, 0x7f]), 0)).toBeUndefined();
  });

  test('the sequence header says size, depth and level', () => {
    const [eight] = splitObus(SEQUENCE)!;
    expect(parseAv1SequenceHeader(eight!.payload)).toMatchObject({
      profile: 0,
      level: 1,
      tier: 0,
      bitDepth: 8,
      monochrome: false,
      chromaSubsamplingX: true,
      chromaSubsamplingY: true,
      width: 640,
      height: 360,
    });
    const [ten] = splitObus(Buffer.from('0a0b0000000cc4ff6736be5010', 'hex'))!;
    expect(parseAv1SequenceHeader(ten!.payload)).toMatchObject({ bitDepth: 10, width: 640, height: 360 });
    expect(parseAv1SequenceHeader(eight!.payload.subarray(0, 6))).toBeUndefined();
  });

  test('an OBU longer than the data or with the forbidden bit is malformed', () => {
    expect(splitObus(Buffer.from([0x32, 5, 1]))).toBeUndefined();
    expect(splitObus(Buffer.from([0xb2, 0]))).toBeUndefined();
    expect(splitObus(Buffer.from([0x36]))).toBeUndefined();
    expect(joinObus(splitObus(INTER)!)).toEqual(INTER);
  });
});

describe('av1 payloads', () => {
  test('leave out the temporal delimiter and every size but those between elements', () => {
    const [payload, ...rest] = createPacketizer('av1').packetize(
      Buffer.concat([TEMPORAL_DELIMITER, INTER, frame(0x30, 3)]),
      { keyframe: false },
    );
    expect(rest).toEqual([]);
    // W = 2: the first element has a length, the last has none.
    expect(payload!.subarray(0, 3)).toEqual(Buffer.from([0x20, 41, 0x30]));
    expect(payload).toHaveLength(1 + 1 + 41 + 4);
    const back = createDepacketizer('av1').depacketize([payload!]);
    expect(back).toEqual({ data: Buffer.concat([INTER, frame(0x30, 3)]), keyframe: false });
  });

  test('more than three OBUs in a payload all have lengths', () => {
    const unit = Buffer.concat([INTER, INTER, INTER, INTER]);
    const payloads = createPacketizer('av1').packetize(unit, { keyframe: false });
    expect(payloads).toHaveLength(1);
    expect(payloads[0]![0]).toBe(0);
    expect(createDepacketizer('av1').depacketize(payloads)?.data).toEqual(unit);
  });

  test('an OBU goes on over packets by the Z and Y bits', () => {
    const unit = frame(0x30, 300);
    const payloads = createPacketizer('av1', { maxPayloadBytes: 128 }).packetize(unit, { keyframe: false });
    expect(payloads.map((payload) => payload[0]! & 0xc0)).toEqual([0x40, 0xc0, 0x80]);
    const depacketizer = createDepacketizer('av1');
    expect(payloads.map((payload) => depacketizer.isFrameStart(payload))).toEqual([true, false, false]);
    expect(depacketizer.depacketize(payloads)?.data).toEqual(unit);
    expect(depacketizer.depacketize(payloads.slice(1))).toBeUndefined();
    expect(depacketizer.depacketize(payloads.slice(0, 2))).toBeUndefined();
    expect(depacketizer.depacketize([payloads[0]!, payloads[2]!])?.data).not.toEqual(unit);
  });

  test('a keyframe without sequence header gets the one seen before', () => {
    const packetizer = createPacketizer('av1');
    const depacketizer = createDepacketizer('av1');
    const key = frame(0b0_00_1_0000, 40);
    const first = packetizer.packetize(Buffer.concat([SEQUENCE, key]), { keyframe: true });
    expect(depacketizer.isKeyFrameStart(first[0]!)).toBe(true);
    expect(depacketizer.depacketize(first)).toMatchObject({ keyframe: true, width: 640, height: 360 });
    const second = packetizer.packetize(key, { keyframe: true });
    expect(depacketizer.depacketize(second)?.data).toEqual(Buffer.concat([SEQUENCE, key]));
  });

  test('a repeated sequence header does not make an inter frame a keyframe', () => {
    const payloads = createPacketizer('av1').packetize(Buffer.concat([SEQUENCE, INTER]), { keyframe: false });
    expect(createDepacketizer('av1').depacketize(payloads)?.keyframe).toBe(false);
  });

  test.each([
    { what: 'no payload', payloads: [] },
    { what: 'an empty payload', payloads: [[]] },
    { what: 'an aggregation header alone', payloads: [[0x10]] },
    { what: 'an element longer than the payload', payloads: [[0x20, 9, 0x30, 1]] },
    { what: 'an element of no bytes', payloads: [[0x00, 0]] },
    { what: 'fewer elements than W says', payloads: [[0x30, 1, 0x30, 1, 0x30]] },
    { what: 'a length that does not end', payloads: [[0x00, 0x80]] },
    { what: 'a continuation of nothing', payloads: [[0x90, 0x30, 1]] },
    { what: 'an OBU that goes on in no packet', payloads: [[0x50, 0x30, 1]] },
    { what: 'an OBU with more bytes than its size', payloads: [[0x10, 0x32, 1, 1, 1]] },
    { what: 'nothing but a temporal delimiter', payloads: [[0x10, 0x10]] },
  ])('$what is malformed', ({ payloads }) => {
    expect(
      createDepacketizer('av1').depacketize(payloads.map((bytes) => Buffer.from(bytes))),
    ).toBeUndefined();
  });
});
