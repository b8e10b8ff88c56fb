import { describe, expect, test } from 'vitest';
import { joinAnnexB, joinLengthPrefixed, splitAnnexB } from '../../../src/media/rtp/h264-nal.ts';
import { parseH264Sps } from '../../../src/media/rtp/h264-sps.ts';
import { createDepacketizer, createPacketizer } from '../../../src/media/rtp/index.ts';

/** Baseline 1280x720, from x264. */
const SPS = Buffer.from('6742c01fd9005005bb0110000003001000000303c0f1832480', 'hex');
const PPS = Buffer.from('68cb83cb20', 'hex');
const IDR = Buffer.concat([Buffer.from([0x65, 0x88]), Buffer.alloc(300, 0x11)]);
const SLICE = Buffer.concat([Buffer.from([0x41, 0x9a]), Buffer.alloc(30, 0x22)]);
const SEI = Buffer.from([0x06, 0x05, 0x01, 0xaa, 0x80]);

const stream = (...nals: Buffer[]) => joinAnnexB(nals);
const types = (payloads: readonly Buffer[]) => payloads.map((payload) => payload[0]! & 0x1f);

describe('h264 NAL units', () => {
  test('are found after start codes of three and four bytes, without trailing zeros', () => {
    const bytes = Buffer.concat([
      Buffer.from([9, 9, 0, 0, 0, 1]),
      SPS,
      Buffer.from([0, 0, 1]),
      PPS,
      Buffer.from([0, 0, 0, 0, 1]),
      IDR,
      Buffer.from([0, 0]),
    ]);
    expect(splitAnnexB(bytes)).toEqual([SPS, PPS, IDR]);
    expect(splitAnnexB(Buffer.from([1, 0, 0, 1, 0, 0, 1]))).toEqual([]);
    expect(splitAnnexB(Buffer.alloc(0))).toEqual([]);
    expect(joinLengthPrefixed([PPS])).toEqual(Buffer.concat([Buffer.from([0, 0, 0, 5]), PPS]));
  });

  test.each([
    { what: 'baseline', sps: SPS.toString('hex'), profile: 0x42, level: 31, width: 1280, height: 720 },
    {
      what: 'main with cropping on both sides',
      sps: '674d401eeca05217f1126022000003000200000300781e2c5b2c',
      profile: 0x4d,
      level: 30,
      width: 642,
      height: 362,
    },
    {
      what: 'high',
      sps: '67640028acd940780227e5c044000003000400000300f03c60c658',
      profile: 0x64,
      level: 40,
      width: 1920,
      height: 1080,
    },
    {
      what: 'high, interlaced',
      sps: '67640028acd94078044fde0220000003002000000783e2c5b2c0',
      profile: 0x64,
      level: 40,
      width: 1920,
      height: 1080,
    },
    {
      what: '4:4:4',
      sps: '67f4001e919b281485fc7cf80880000003008',
      profile: 0xf4,
      level: 30,
      width: 642,
      height: 362,
    },
  ])('the sequence parameter set says the cropped size: $what', ({ sps, profile, level, width, height }) => {
    expect(parseH264Sps(Buffer.from(sps, 'hex'))).toMatchObject({ profile, level, width, height });
  });

  test('what is no sequence parameter set, or half of one, is not read', () => {
    expect(parseH264Sps(PPS)).toBeUndefined();
    expect(parseH264Sps(SPS.subarray(0, 6))).toBeUndefined();
  });
});

describe('h264 payloads (RFC 6184)', () => {
  test('small NAL units go together, large ones in fragments', () => {
    const packetizer = createPacketizer('h264', { maxPayloadBytes: 128 });
    const payloads = packetizer.packetize(stream(SPS, PPS, SEI, IDR), { keyframe: true });
    expect(types(payloads)).toEqual([24, 28, 28, 28]);
    expect(payloads[0]!.subarray(0, 3)).toEqual(Buffer.from([0x78, 0, SPS.length]));
    // S on the first, E on the last, the type in each.
    expect(payloads.slice(1).map((payload) => payload[1])).toEqual([0x85, 0x05, 0x45]);
    expect(payloads.slice(1).map((payload) => payload[0])).toEqual([0x7c, 0x7c, 0x7c]);
    const back = createDepacketizer('h264').depacketize(payloads);
    expect(back).toEqual({ data: stream(SPS, PPS, SEI, IDR), keyframe: true, width: 1280, height: 720 });
  });

  test('a single small NAL unit is its own payload', () => {
    expect(createPacketizer('h264').packetize(stream(SLICE), { keyframe: false })).toEqual([SLICE]);
    expect(createPacketizer('h264').packetize(Buffer.from([1, 2, 3]), { keyframe: false })).toEqual([]);
  });

  test('parameter sets seen before go in front of an IDR picture without, after its delimiter', () => {
    const aud = Buffer.from([0x09, 0xf0]);
    const packetizer = createPacketizer('h264');
    packetizer.packetize(stream(SPS, PPS, IDR), { keyframe: true });
    const sent = packetizer.packetize(stream(aud, IDR), { keyframe: true });
    const depacketizer = createDepacketizer('h264');
    expect(depacketizer.depacketize(sent)?.data).toEqual(stream(aud, SPS, PPS, IDR));
    // The same on the receiving side.
    expect(depacketizer.depacketize([IDR])).toMatchObject({ data: stream(SPS, PPS, IDR), width: 1280 });
    expect(depacketizer.depacketize([SLICE])?.data).toEqual(stream(SLICE));
  });

  test('an IDR picture of a stream that never sent parameter sets has no size', () => {
    expect(createDepacketizer('h264').depacketize([IDR])).toEqual({ data: stream(IDR), keyframe: true });
  });

  test('the first slice begins a frame, later slices do not', () => {
    const depacketizer = createDepacketizer('h264');
    const later = Buffer.from([0x41, 0x4a, 1]);
    expect(depacketizer.isFrameStart(SLICE)).toBe(true);
    expect(depacketizer.isFrameStart(later)).toBe(false);
    expect(depacketizer.isFrameStart(Buffer.from([0x7c, 0x85, 0x88]))).toBe(true);
    expect(depacketizer.isFrameStart(Buffer.from([0x7c, 0x05, 0x88]))).toBe(false);
    expect(depacketizer.isKeyFrameStart(Buffer.from([0x7c, 0x85, 0x88]))).toBe(true);
    expect(depacketizer.isKeyFrameStart(Buffer.from([0x7c, 0x81, 0x88]))).toBe(false);
    expect(depacketizer.isKeyFrameStart(SPS)).toBe(true);
    expect(depacketizer.isKeyFrameStart(SLICE)).toBe(false);
  });

  test.each([
    { what: 'no payload', payloads: [] },
    { what: 'an empty payload', payloads: [[]] },
    { what: 'a STAP-A without NAL unit', payloads: [[24]] },
    { what: 'a STAP-A longer than it is', payloads: [[24, 0, 9, 1]] },
    { what: 'a STAP-A of an empty NAL unit', payloads: [[24, 0, 0]] },
    { what: 'a STAP-A in a STAP-A', payloads: [[24, 0, 4, 24, 0, 1, 1]] },
    { what: 'a STAP-A with half a length', payloads: [[24, 0, 1, 1, 0]] },
    { what: 'a fragment without beginning', payloads: [[28, 0x41, 1]] },
    { what: 'a fragment without end', payloads: [[28, 0x81, 1]] },
    {
      what: 'a NAL unit within fragments',
      payloads: [
        [28, 0x81, 1],
        [1, 2],
        [28, 0x41, 1],
      ],
    },
    {
      what: 'fragments of two types',
      payloads: [
        [28, 0x81, 1],
        [28, 0x45, 1],
      ],
    },
    { what: 'a fragment that begins and ends', payloads: [[28, 0xc1, 1]] },
    {
      what: 'a fragment of a STAP-A',
      payloads: [
        [28, 0x98, 1],
        [28, 0x58, 1],
      ],
    },
    {
      what: 'an empty fragment',
      payloads: [
        [28, 0x81],
        [28, 0x41],
      ],
    },
    { what: 'a FU-B, of another mode', payloads: [[29, 0x81, 0, 0, 1]] },
  ])('$what is malformed', ({ payloads }) => {
    expect(
      createDepacketizer('h264').depacketize(payloads.map((bytes) => Buffer.from(bytes))),
    ).toBeUndefined();
  });
});
