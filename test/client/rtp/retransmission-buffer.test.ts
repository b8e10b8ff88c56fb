import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RetransmissionBuffer } from '../../../src/client/rtp/retransmission-buffer.ts';

function packet(index: number, sentMs: number) {
  return {
    index,
    timestamp: index,
    marker: false,
    audioLevel: undefined,
    captureTimeMs: undefined,
    sentMs,
    resentMs: 0,
  };
}

const content = (index: number, bytes: number): Buffer => Buffer.alloc(bytes, index % 251);

/** What the buffer holds of the packet with this index. */
function held(buffer: RetransmissionBuffer, index: number): Buffer | undefined {
  const kept = buffer.get(index & 0xffff);
  return kept?.index === index ? buffer.contentOf(kept) : undefined;
}

describe('what is kept', () => {
  test('the packets of the last two seconds', () => {
    const buffer = new RetransmissionBuffer(65_500);
    for (let i = 0; i < 300; i += 1) buffer.add(packet(65_500 + i, i * 10), content(i, 1_000));
    // 2,000 ms before 2,990 ms; the numbers wrap in between.
    for (let i = 0; i < 300; i += 1)
      expect(held(buffer, 65_500 + i)).toEqual(i < 99 ? undefined : content(i, 1_000));
    expect(buffer.latest).toMatchObject({ index: 65_799, length: 1_000 });
    expect(buffer.get(65_800 & 0xffff)).toBeUndefined();
  });

  test('no more than fits into the memory, the newest', () => {
    const buffer = new RetransmissionBuffer(0, { maxBytes: 100_000 });
    for (let i = 0; i < 500; i += 1) buffer.add(packet(i, 0), content(i, 1_100));
    for (let i = 0; i < 500; i += 1)
      expect(held(buffer, i)).toEqual(i < 500 - 90 ? undefined : content(i, 1_100));
  });

  test('one packet whatever its size, and nothing after clearing', () => {
    const buffer = new RetransmissionBuffer(7, { maxBytes: 100 });
    buffer.add(packet(7, 0), content(7, 5_000));
    expect(held(buffer, 7)).toEqual(content(7, 5_000));
    const kept = buffer.latest!;
    buffer.clear();
    expect(buffer.contentOf(kept)).toBeUndefined();
    expect(buffer.latest).toBeUndefined();
  });

  test('a packet that is gone meanwhile has no content', () => {
    const buffer = new RetransmissionBuffer(0);
    buffer.add(packet(0, 0), content(0, 10));
    const kept = buffer.get(0)!;
    buffer.add(packet(1, 5_000), content(1, 10));
    expect(buffer.contentOf(kept)).toBeUndefined();
  });
});

test('whatever the sizes and times, what is kept is whole, without gaps, and ends with the newest', () => {
  const added = fc.record({
    bytes: fc.integer({ min: 0, max: 1_500 }),
    afterMs: fc.integer({ min: 0, max: 300 }),
  });
  fc.assert(
    fc.property(
      fc.array(added, { minLength: 1, maxLength: 200 }),
      fc.integer({ min: 2_000, max: 40_000 }),
      (all, maxBytes) => {
        const buffer = new RetransmissionBuffer(0, { maxBytes, maxAgeMs: 1_000 });
        let nowMs = 0;
        const times: number[] = [];
        for (const [index, { bytes, afterMs }] of all.entries()) {
          nowMs += afterMs;
          times.push(nowMs);
          buffer.add(packet(index, nowMs), content(index, bytes));
        }
        const kept = all.map((_, index) => held(buffer, index) !== undefined);
        const first = kept.indexOf(true);
        expect(kept.slice(first)).not.toContain(false);
        for (const [index, { bytes }] of all.entries()) {
          if (index < first) continue;
          expect(held(buffer, index)).toEqual(content(index, bytes));
          expect(nowMs - times[index]!).toBeLessThanOrEqual(1_000);
        }
        // Nothing is given up for want of room that would leave more than half of it free.
        const bytes = all.slice(Math.max(0, first - 1)).reduce((sum, each) => sum + each.bytes, 0);
        if (first > 0 && nowMs - times[first - 1]! <= 1_000) expect(bytes).toBeGreaterThan(maxBytes / 2);
      },
    ),
  );
});
