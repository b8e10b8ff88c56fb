import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseRtcp, serializeRtcp } from '../../../../src/client/rtp/rtcp/compound.ts';
import type { RtcpPacket } from '../../../../src/client/rtp/rtcp/types.ts';

const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const uint16 = fc.integer({ min: 0, max: 0xffff });
const uint8 = fc.integer({ min: 0, max: 0xff });
const ntp = fc.record({ seconds: uint32, fraction: uint32 });
const text = fc.string({ maxLength: 40, minLength: 1 });

const block = fc.record({
  ssrc: uint32,
  fractionLost: uint8,
  cumulativeLost: fc.integer({ min: -0x80_0000, max: 0x7f_ffff }),
  highestSequence: uint32,
  jitter: uint32,
  lastSenderReport: uint32,
  delaySinceLastSenderReport: uint32,
});
const reports = fc.array(block, { maxLength: 31 });

/** NACKs ask in ascending order, also across the wrap, and for each packet once. */
const nacked = fc
  .tuple(uint16, fc.uniqueArray(fc.integer({ min: 0, max: 2000 }), { minLength: 1, maxLength: 300 }))
  .map(([start, offsets]) => offsets.sort((x, y) => x - y).map((offset) => (start + offset) & 0xffff));

const delta = fc.oneof(
  fc.constant(undefined),
  fc.integer({ min: 0, max: 255 }),
  fc.integer({ min: -32_768, max: 32_767 }),
);
/** Runs of equal statuses as well as mixtures. */
const deltas = fc
  .array(fc.oneof(fc.array(delta, { maxLength: 40 }), fc.tuple(delta, fc.integer({ min: 1, max: 300 }))), {
    minLength: 1,
    maxLength: 12,
  })
  .map((parts) =>
    parts.flatMap((part) =>
      part.length === 2 && typeof part[1] === 'number' && part[1] > 0 && part[1] <= 300
        ? Array.from({ length: part[1] }, () => part[0])
        : part,
    ),
  );

const packet: fc.Arbitrary<RtcpPacket> = fc.oneof(
  fc.record({
    type: fc.constant('sender-report' as const),
    ssrc: uint32,
    ntp,
    rtpTimestamp: uint32,
    packetCount: uint32,
    octetCount: uint32,
    reports,
  }),
  fc.record({ type: fc.constant('receiver-report' as const), ssrc: uint32, reports }),
  fc.record({
    type: fc.constant('source-description' as const),
    chunks: fc.array(fc.record({ ssrc: uint32, cname: text }), { maxLength: 31 }),
  }),
  fc.record(
    { type: fc.constant('goodbye' as const), ssrcs: fc.array(uint32, { maxLength: 31 }), reason: text },
    { requiredKeys: ['type', 'ssrcs'] },
  ),
  fc.record({
    type: fc.constant('nack' as const),
    senderSsrc: uint32,
    mediaSsrc: uint32,
    sequenceNumbers: nacked,
  }),
  fc.record({ type: fc.constant('picture-loss-indication' as const), senderSsrc: uint32, mediaSsrc: uint32 }),
  fc.record({
    type: fc.constant('full-intra-request' as const),
    senderSsrc: uint32,
    mediaSsrc: fc.constant(0),
    entries: fc.array(fc.record({ ssrc: uint32, sequenceNumber: uint8 }), { minLength: 1, maxLength: 20 }),
  }),
  fc.record({
    type: fc.constant('remb' as const),
    senderSsrc: uint32,
    bitrate: fc
      .tuple(fc.integer({ min: 0, max: 2 ** 18 - 1 }), fc.integer({ min: 0, max: 20 }))
      .map(([mantissa, exponent]) => mantissa * 2 ** exponent),
    ssrcs: fc.array(uint32, { maxLength: 20 }),
  }),
  fc.record({
    type: fc.constant('transport-feedback' as const),
    senderSsrc: uint32,
    mediaSsrc: uint32,
    baseSequence: uint16,
    referenceTime: fc.integer({ min: -0x80_0000, max: 0x7f_ffff }),
    feedbackCount: uint8,
    deltas,
  }),
  fc.record(
    {
      type: fc.constant('extended-report' as const),
      ssrc: uint32,
      referenceTime: ntp,
      answers: fc.array(fc.record({ ssrc: uint32, lastReference: uint32, delay: uint32 }), { maxLength: 31 }),
    },
    { requiredKeys: ['type', 'ssrc', 'answers'] },
  ),
);

test('every packet type comes back as it was written, alone and in compounds', () => {
  fc.assert(
    fc.property(fc.array(packet, { minLength: 1, maxLength: 5 }), (packets) => {
      const compound = serializeRtcp(packets);
      expect(compound.length % 4).toBe(0);
      expect(parseRtcp(compound)).toEqual(packets);
    }),
    { numRuns: 500 },
  );
});

test('random and cut bytes give packets or none, and never throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      parseRtcp(Buffer.from(bytes));
    }),
    { numRuns: 2000 },
  );
  fc.assert(
    fc.property(packet, fc.nat(), fc.nat(), uint8, (written, cut, at, byte) => {
      const compound = serializeRtcp([written]);
      compound[at % compound.length] = byte;
      parseRtcp(compound.subarray(0, cut % (compound.length + 1)));
      parseRtcp(compound);
    }),
    { numRuns: 2000 },
  );
});

test('transport feedback has the layout of the draft', () => {
  const feedback = (deltas: (number | undefined)[]) =>
    serializeRtcp([
      {
        type: 'transport-feedback',
        senderSsrc: 1,
        mediaSsrc: 2,
        baseSequence: 0xffff,
        referenceTime: -2,
        feedbackCount: 7,
        deltas,
      },
    ]).toString('hex');
  const ssrcs = '0000000100000002';
  // One two-bit vector; deltas of 1, 2, 2 and 1 bytes fill the seven words.
  expect(feedback([4, undefined, 256, -1, 5])).toBe(`8fcd0006${ssrcs}ffff0005fffffe07d290040100ffff05`);
  // One one-bit vector and two deltas: no padding is needed. One delta less needs one byte, counted by itself.
  expect(feedback([4, undefined, 6])).toBe(`8fcd0005${ssrcs}ffff0003fffffe07a8000406`);
  expect(feedback([4, undefined, undefined])).toBe(`afcd0005${ssrcs}ffff0003fffffe07a0000401`);
  // A run: 300 small deltas in one chunk.
  expect(feedback(Array.from({ length: 300 }, () => 1))).toMatch(
    new RegExp(`^afcd0050${ssrcs}ffff012cfffffe07212c(01){300}0002$`),
  );
});

test('numbers of a NACK share entries across the wrap', () => {
  const compound = serializeRtcp([
    { type: 'nack', senderSsrc: 1, mediaSsrc: 2, sequenceNumbers: [65_534, 65_535, 0, 14, 15] },
  ]);
  expect(compound.subarray(12).toString('hex')).toBe('fffe8003000f0000');
});

test('a truncated second packet does not spoil the first', () => {
  const pli: RtcpPacket = { type: 'picture-loss-indication', senderSsrc: 1, mediaSsrc: 0 };
  const compound = serializeRtcp([pli, pli]);
  expect(parseRtcp(compound.subarray(0, -1))).toEqual([pli]);
});
