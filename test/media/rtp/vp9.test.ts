import { describe, expect, test } from 'vitest';
import { createDepacketizer, createPacketizer } from '../../../src/media/rtp/index.ts';
import { parseVp9Descriptor } from '../../../src/media/rtp/vp9-descriptor.ts';
import { parseVp9FrameHeader } from '../../../src/media/rtp/vp9-frame.ts';

/** Uncompressed header of a 320x180 keyframe of profile 0. */
const KEYFRAME = Buffer.from([0x82, 0x49, 0x83, 0x42, 0x00, 0x13, 0xf0, 0x0b, 0x30, 0xaa]);
const DELTA = Buffer.from([0x86, 0x01, 0x02, 0x03]);
/** Not shown, intra-only. */
const INTRA_ONLY = Buffer.from([0x84, 0x89, 0x30, 0x68, 0x40, 0, 0, 0]);

/** I P L F B E V Z */
const bits = { I: 0x80, P: 0x40, L: 0x20, F: 0x10, B: 0x08, E: 0x04, V: 0x02, Z: 0x01 };

describe('vp9 descriptor (RFC 9628 section 4.2)', () => {
  test.each([
    { what: 'nothing', bytes: [bits.B | bits.E], expected: { startOfFrame: true, endOfFrame: true } },
    { what: '15-bit picture ID', bytes: [bits.I, 0x81, 0x02], expected: { pictureId: 0x102 } },
    {
      what: 'layers in non-flexible mode',
      bytes: [bits.I | bits.P | bits.L | bits.Z, 5, 0b010_1_001_1, 77],
      expected: {
        interPicturePredicted: true,
        notReferenceForUpper: true,
        layer: {
          temporalId: 2,
          switchingUpPoint: true,
          spatialId: 1,
          interLayerPredicted: true,
          tl0PicIdx: 77,
        },
      },
    },
    {
      what: 'references in flexible mode',
      bytes: [bits.I | bits.P | bits.L | bits.F, 5, 0, 0x03, 0x05, 0x06],
      expected: { flexible: true, references: [1, 2, 3] },
    },
    {
      what: 'the scalability structure',
      bytes: [bits.V, 0x38, 0x01, 0x40, 0x00, 0xb4, 0x02, 0x80, 0x01, 0x68, 2, 0x04, 1, 0x38, 1, 2],
      expected: {
        structure: {
          spatialLayers: 2,
          sizes: [
            { width: 320, height: 180 },
            { width: 640, height: 360 },
          ],
          pictureGroup: [
            { temporalId: 0, switchingUpPoint: false, references: [1] },
            { temporalId: 1, switchingUpPoint: true, references: [1, 2] },
          ],
        },
      },
    },
  ])('$what', ({ bytes, expected }) => {
    const parsed = parseVp9Descriptor(Buffer.from([...bytes, 0xaa]));
    expect(parsed?.bytes).toBe(bytes.length);
    expect(parsed?.descriptor).toMatchObject(expected);
    for (let length = 0; length < bytes.length; length++) {
      expect(parseVp9Descriptor(Buffer.from(bytes.slice(0, length)))).toBeUndefined();
    }
  });

  test('more than three references are malformed', () => {
    expect(parseVp9Descriptor(Buffer.from([bits.P | bits.F, 3, 3, 3, 2, 0]))).toBeUndefined();
  });
});

describe('vp9 frame header', () => {
  test('tells keyframes, intra-only and inter frames apart', () => {
    expect(parseVp9FrameHeader(KEYFRAME)).toMatchObject({
      keyframe: true,
      width: 320,
      height: 180,
      bitDepth: 8,
    });
    expect(parseVp9FrameHeader(DELTA)).toMatchObject({ keyframe: false, intraOnly: false });
    expect(parseVp9FrameHeader(INTRA_ONLY)).toMatchObject({ keyframe: false, intraOnly: true });
    expect(parseVp9FrameHeader(Buffer.from([0x42, 0x49]))).toBeUndefined();
    expect(parseVp9FrameHeader(KEYFRAME.subarray(0, 7))).toBeUndefined();
  });
});

describe('vp9 payloads', () => {
  test('of a keyframe carry the size in a scalability structure', () => {
    const [payload] = createPacketizer('vp9', { pictureId: 1 }).packetize(KEYFRAME, { keyframe: true });
    expect(parseVp9Descriptor(payload!)?.descriptor).toEqual({
      interPicturePredicted: false,
      flexible: false,
      startOfFrame: true,
      endOfFrame: true,
      notReferenceForUpper: false,
      pictureId: 1,
      structure: {
        spatialLayers: 1,
        sizes: [{ width: 320, height: 180 }],
        pictureGroup: [{ temporalId: 0, switchingUpPoint: false, references: [1] }],
      },
    });
  });

  test('of several spatial layers become one superframe of the top size', () => {
    const structure = [0x30, 0x01, 0x40, 0x00, 0xb4, 0x02, 0x80, 0x01, 0x68];
    const { I, L, F, B, E, V } = bits;
    const payloads = [
      Buffer.from([I | L | F | B | V, 9, 0x00, ...structure, ...KEYFRAME]),
      Buffer.from([I | L | F | E, 9, 0x00, 1, 2]),
      Buffer.from([I | L | F | B | E, 9, 0x03, ...DELTA]),
    ];
    const depacketizer = createDepacketizer('vp9');
    expect(payloads.map((payload) => depacketizer.isFrameStart(payload))).toEqual([true, false, false]);
    expect(depacketizer.isKeyFrameStart(payloads[0]!)).toBe(true);
    const back = depacketizer.depacketize(payloads)!;
    expect(back).toMatchObject({ keyframe: true, width: 640, height: 360 });
    const index = Buffer.from([0xc1, 12, 4, 0xc1]);
    expect(back.data).toEqual(Buffer.concat([KEYFRAME, Buffer.from([1, 2]), DELTA, index]));
  });

  test('of the top layer alone, as an SFU forwards K-SVC, begin a frame that is no keyframe', () => {
    const { I, P, L, B, E } = bits;
    const payload = Buffer.from([I | P | L | B | E, 9, 0b000_0_010_0, 1, ...DELTA]);
    const depacketizer = createDepacketizer('vp9');
    expect(depacketizer.isFrameStart(payload)).toBe(true);
    expect(depacketizer.isKeyFrameStart(payload)).toBe(false);
    expect(depacketizer.depacketize([payload])).toEqual({ data: DELTA, keyframe: false });
  });

  test('of an intra-only frame are no keyframe', () => {
    const payload = Buffer.concat([Buffer.from([bits.B | bits.E]), INTRA_ONLY]);
    expect(createDepacketizer('vp9').isKeyFrameStart(payload)).toBe(false);
    expect(createDepacketizer('vp9').depacketize([payload])?.keyframe).toBe(false);
  });

  const { I, L, B, E } = bits;
  test.each([
    { what: 'no payload', payloads: [] },
    { what: 'a frame without beginning', payloads: [[E, 1]] },
    { what: 'a frame without end', payloads: [[B, 1]] },
    {
      what: 'a beginning within a frame',
      payloads: [
        [B, 1],
        [B | E, 1],
      ],
    },
    {
      what: 'two picture IDs',
      payloads: [
        [I | B, 1, 1],
        [I | E, 2, 1],
      ],
    },
    {
      what: 'a spatial layer twice',
      payloads: [
        [B | E, 1],
        [B | E, 1],
      ],
    },
    {
      what: 'another layer within a layer frame',
      payloads: [
        [L | B, 0, 0, 1],
        [L | E, 2, 0, 1],
      ],
    },
    { what: 'a descriptor without frame', payloads: [[B | E]] },
  ])('$what is malformed', ({ payloads }) => {
    expect(
      createDepacketizer('vp9').depacketize(payloads.map((bytes) => Buffer.from(bytes))),
    ).toBeUndefined();
  });
});
