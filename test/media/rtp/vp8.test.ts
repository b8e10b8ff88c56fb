import { describe, expect, test } from 'vitest';
import { createDepacketizer, createPacketizer } from '../../../src/media/rtp/index.ts';
import { parseVp8Descriptor } from '../../../src/media/rtp/vp8-descriptor.ts';

/** Frame tag and start code of a 640x360 keyframe, RFC 6386 section 9.1. */
const KEYFRAME = Buffer.from([0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01, 0xaa]);
const DELTA = Buffer.from([0x31, 0x02, 0x00, 0xbb]);

describe('vp8 descriptor (RFC 7741 section 4.2)', () => {
  test.each([
    {
      what: 'one byte',
      bytes: [0x10],
      expected: { startOfPartition: true, partition: 0, nonReference: false },
    },
    { what: 'non-reference', bytes: [0x23], expected: { nonReference: true, partition: 3 } },
    { what: '7-bit picture ID', bytes: [0x90, 0x80, 0x11], expected: { pictureId: 0x11 } },
    { what: '15-bit picture ID', bytes: [0x90, 0x80, 0x92, 0x34], expected: { pictureId: 0x1234 } },
    {
      what: 'everything',
      bytes: [0x90, 0xf0, 0xff, 0xff, 0x07, 0b10_1_00101],
      expected: { pictureId: 0x7fff, tl0PicIdx: 7, temporalId: 2, layerSync: true, keyIdx: 5 },
    },
    { what: 'KEYIDX alone', bytes: [0x80, 0x10, 0xff], expected: { keyIdx: 31 } },
  ])('$what', ({ bytes, expected }) => {
    const parsed = parseVp8Descriptor(Buffer.from([...bytes, 0xaa]));
    expect(parsed?.bytes).toBe(bytes.length);
    expect(parsed?.descriptor).toMatchObject(expected);
    for (let length = 0; length < bytes.length; length++) {
      expect(parseVp8Descriptor(Buffer.from(bytes.slice(0, length)))).toBeUndefined();
    }
  });
});

describe('vp8 payloads', () => {
  test('carry 15-bit picture IDs that count up and wrap', () => {
    const packetizer = createPacketizer('vp8', { pictureId: 0x7ffe });
    const ids = [KEYFRAME, DELTA, DELTA].map((frame) => {
      const [payload] = packetizer.packetize(frame, { keyframe: frame === KEYFRAME });
      expect(payload!.subarray(0, 2)).toEqual(Buffer.from([0x90, 0x80]));
      return parseVp8Descriptor(payload!)?.descriptor.pictureId;
    });
    expect(ids).toEqual([0x7ffe, 0x7fff, 0]);
  });

  test('carry temporal layers: TL0PICIDX counts pictures of layer 0, KEYIDX keyframes', () => {
    const packetizer = createPacketizer('vp8');
    const sent = [0, 2, 1, 2, 0].map((id, i) => {
      const options = { keyframe: i === 0, temporalLayer: { id, sync: id > 0 }, nonReference: id === 2 };
      const [payload] = packetizer.packetize(i === 0 ? KEYFRAME : DELTA, options);
      return parseVp8Descriptor(payload!)!.descriptor;
    });
    const first = sent[0]!.tl0PicIdx!;
    expect(sent.map((descriptor) => (descriptor.tl0PicIdx! - first) & 0xff)).toEqual([0, 0, 0, 0, 1]);
    expect(sent.map((descriptor) => descriptor.temporalId)).toEqual([0, 2, 1, 2, 0]);
    expect(sent.map((descriptor) => descriptor.layerSync)).toEqual([false, true, true, true, false]);
    expect(sent.map((descriptor) => descriptor.nonReference)).toEqual([false, true, false, true, false]);
    expect(new Set(sent.map((descriptor) => descriptor.keyIdx)).size).toBe(1);
  });

  test('say the size of a keyframe, scaling bits left out', () => {
    const scaled = Buffer.from(KEYFRAME);
    scaled[7] = scaled[7]! | 0x40;
    for (const frame of [KEYFRAME, scaled]) {
      const payloads = createPacketizer('vp8').packetize(frame, { keyframe: true });
      const depacketizer = createDepacketizer('vp8');
      expect(depacketizer.isKeyFrameStart(payloads[0]!)).toBe(true);
      expect(depacketizer.depacketize(payloads)).toEqual({
        data: frame,
        keyframe: true,
        width: 640,
        height: 360,
      });
    }
  });

  test('of a sender that begins a payload with each partition are one frame', () => {
    const payloads = [
      Buffer.concat([Buffer.from([0x10]), DELTA]),
      Buffer.from([0x00, 1]),
      Buffer.from([0x11, 2]),
      Buffer.from([0x12, 3]),
    ];
    const back = createDepacketizer('vp8').depacketize(payloads);
    expect(back).toEqual({ data: Buffer.concat([DELTA, Buffer.from([1, 2, 3])]), keyframe: false });
  });

  test.each([
    { what: 'no payload', payloads: [] },
    { what: 'a frame without its first payload', payloads: [[0x00, 1, 2, 3, 4]] },
    {
      what: 'two frames',
      payloads: [
        [0x10, ...DELTA],
        [0x10, ...DELTA],
      ],
    },
    {
      what: 'two picture IDs',
      payloads: [
        [0x90, 0x80, 1, ...DELTA],
        [0x80, 0x80, 2, 9],
      ],
    },
    { what: 'a keyframe without start code', payloads: [[0x10, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7]] },
    { what: 'a keyframe of no width', payloads: [[0x10, 0, 0, 0, 0x9d, 0x01, 0x2a, 0, 0, 1, 0]] },
    { what: 'a descriptor without frame', payloads: [[0x90, 0x80, 1]] },
  ])('$what is malformed', ({ payloads }) => {
    expect(
      createDepacketizer('vp8').depacketize(payloads.map((bytes) => Buffer.from(bytes))),
    ).toBeUndefined();
  });
});
