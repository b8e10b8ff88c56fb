import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readAudioPacket } from '../../../../src/server/sfu/audio/rtp-header.ts';
import { SlotStream } from '../../../../src/server/sfu/audio/slot-stream.ts';

const NO_IDS = { level: undefined, captureTime: undefined };

function packet(sequence: number, timestamp: number, extensions = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(12);
  header[0] = 0x80 | (extensions.length > 0 ? 0x10 : 0);
  header[1] = 100;
  header.writeUInt16BE(sequence & 0xffff, 2);
  header.writeUInt32BE(timestamp >>> 0, 4);
  header.writeUInt32BE(0xdead, 8);
  return Buffer.concat([header, extensions, Buffer.from([1, 2, 3, 4])]);
}

function send(stream: SlotStream, source: string, sequence: number, timestamp: number, now: number) {
  const bytes = packet(sequence, timestamp);
  const sent = stream.rewrite(bytes, readAudioPacket(bytes, NO_IDS)!, source, now);
  if (sent === undefined) return undefined;
  const out = readAudioPacket(bytes, NO_IDS)!;
  expect(out.timestamp).toBe(sent.timestamp);
  expect(bytes.readUInt32BE(8)).toBe(7);
  expect(bytes.subarray(12)).toEqual(Buffer.from([1, 2, 3, 4]));
  return { ...out, first: sent.first };
}

const steps = (values: number[], modulo: number) =>
  values.slice(1).map((value, i) => (value - values[i]! + modulo) % modulo);

describe('the stream of a slot', () => {
  test('goes on when its sender changes, by the time that passed', () => {
    const stream = new SlotStream(7, 0);
    const out = [
      send(stream, 'ann', 65_534, 4_294_967_000, 0),
      send(stream, 'ann', 65_535, 4_294_967_000 + 960, 20),
      send(stream, 'ann', 0, 4_294_967_000 + 1_920, 40),
      send(stream, 'bob', 500, 77, 100),
      send(stream, 'bob', 501, 77 + 960, 120),
      send(stream, 'ann', 20, 4_294_967_000 + 9_600, 200),
    ].map((each) => each!);
    expect(
      steps(
        out.map(({ sequenceNumber }) => sequenceNumber),
        2 ** 16,
      ),
    ).toEqual([1, 1, 1, 1, 1]);
    expect(
      steps(
        out.map(({ timestamp }) => timestamp),
        2 ** 32,
      ),
    ).toEqual([960, 960, 2_880, 960, 3_840]);
    expect(out.map(({ marker }) => marker)).toEqual([true, false, false, true, false, true]);
    expect(out.map(({ first }) => first)).toEqual([true, false, false, true, false, true]);
  });

  test('keeps losses, disorder and silence of a sender as they are', () => {
    const stream = new SlotStream(7, 0);
    send(stream, 'ann', 9, 0, 0);
    const out = [
      send(stream, 'ann', 10, 960, 20)!,
      send(stream, 'ann', 13, 3_840, 80)!,
      send(stream, 'ann', 12, 2_880, 81)!,
      send(stream, 'ann', 14, 23_040, 480)!,
    ];
    expect(
      steps(
        out.map(({ sequenceNumber }) => sequenceNumber),
        2 ** 16,
      ),
    ).toEqual([3, 65_535, 2]);
    expect(out[3]!.timestamp - out[0]!.timestamp).toBe(22_080);
  });

  test('drops what comes late from before the change', () => {
    const stream = new SlotStream(7, 0);
    send(stream, 'ann', 100, 0, 0);
    send(stream, 'bob', 50, 0, 20);
    expect(send(stream, 'bob', 49, -960, 21)).toBeUndefined();
    expect(send(stream, 'bob', 51, 960, 40)).toBeDefined();
    expect(send(stream, 'bob', 50, 0, 41)).toBeDefined();
  });

  test('goes on when a sender begins anew', () => {
    const stream = new SlotStream(7, 0);
    const before = send(stream, 'ann', 100, 5_000, 1_000)!;
    const after = send(stream, 'ann', 40_000, 3_000_000_000, 1_020)!;
    expect((after.sequenceNumber - before.sequenceNumber) & 0xffff).toBe(1);
    expect((after.timestamp - before.timestamp) >>> 0).toBe(960);
    expect(after.first).toBe(true);
  });

  test('is in order and on the clock whoever sends what', () => {
    const sends = fc.array(
      fc.record({
        source: fc.constantFrom('ann', 'bob', 'cid'),
        gap: fc.integer({ min: 0, max: 3 }),
        jitter: fc.integer({ min: -30, max: 30 }),
        packets: fc.integer({ min: 1, max: 30 }),
      }),
      { minLength: 1, maxLength: 30 },
    );
    const starts = fc.record({
      sequence: fc.integer({ min: 0, max: 65_535 }),
      timestamp: fc.nat({ max: 2 ** 32 - 1 }),
    });
    fc.assert(
      fc.property(sends, fc.array(starts, { minLength: 3, maxLength: 3 }), (tenures, from) => {
        const stream = new SlotStream(7, 0);
        let now = 1_000;
        let last: { sequenceNumber: number; timestamp: number } | undefined;
        const origin = { at: 0, timestamp: 0 };
        for (const { source, gap, jitter, packets } of tenures) {
          now += gap * 200;
          for (let i = 0; i < packets; i++, now += 20) {
            const start = from['abc'.indexOf(source[0]!)]!;
            const tick = Math.round((now / 20) % 65_536);
            const out = send(
              stream,
              source,
              start.sequence + tick,
              start.timestamp + now * 48,
              now + jitter,
            )!;
            if (last !== undefined) {
              expect((out.timestamp - last.timestamp) | 0).toBeGreaterThan(0);
              expect(((out.sequenceNumber - last.sequenceNumber) << 16) >> 16).toBeGreaterThan(0);
            } else {
              origin.at = now;
              origin.timestamp = out.timestamp;
            }
            // Never more than the jitter and the shortest steps away from the clock, after any number of changes.
            const off = (((out.timestamp - origin.timestamp) | 0) / 48 - (now - origin.at)) | 0;
            expect(Math.abs(off)).toBeLessThanOrEqual(90);
            last = out;
          }
        }
      }),
    );
  });
});

describe('reading packets', () => {
  const ids = { level: 6, captureTime: 10 };
  const block = (profile: number, elements: number[]) => {
    const padded = [...elements, ...Array<number>((4 - (elements.length % 4)) % 4).fill(0)];
    const head = Buffer.alloc(4);
    head.writeUInt16BE(profile, 0);
    head.writeUInt16BE(padded.length / 4, 2);
    return Buffer.concat([head, Buffer.from(padded)]);
  };

  test('level and capture time, in one-byte and two-byte elements', () => {
    const capture = Buffer.alloc(16);
    // 2024-01-01T00:00:00.500Z in NTP, by a clock that is 1.25 s ahead of ours.
    capture.writeUInt32BE(1_704_067_200 + 2_208_988_800, 0);
    capture.writeUInt32BE(2 ** 31, 4);
    capture.writeInt32BE(1, 8);
    capture.writeUInt32BE(2 ** 30, 12);
    const expected = { level: -30, capturedAt: Date.UTC(2024, 0, 1) + 500 - 1_250, payloadLength: 4 };
    const oneByte = block(0xbede, [0x60, 0x80 | 30, 0, 0xaf, ...capture]);
    expect(readAudioPacket(packet(1, 2, oneByte), ids)).toMatchObject(expected);
    const twoByte = block(0x1000, [6, 1, 30, 10, 16, ...capture]);
    expect(readAudioPacket(packet(1, 2, twoByte), ids)).toMatchObject(expected);
    expect(readAudioPacket(packet(1, 2), ids)).toMatchObject({ level: undefined, capturedAt: undefined });
  });

  test('bytes of any kind', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const read = readAudioPacket(Buffer.from(bytes), ids);
        if (read !== undefined) expect(read.payloadLength).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 2_000 },
    );
  });
});
