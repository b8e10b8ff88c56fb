import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { audioLevelByte, readAudioLevel } from '../../../src/client/rtp/extensions.ts';
import { HeaderTemplate } from '../../../src/client/rtp/header-template.ts';
import {
  isRtcp,
  parseRtpHeader,
  readExtension,
  readExtensions,
  serializeRtp,
  stripPadding,
} from '../../../src/client/rtp/packet.ts';

const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const bytes = (max: number, min = 0) =>
  fc.uint8Array({ minLength: min, maxLength: max }).map((data) => Buffer.from(data));

const extensions = (maxId: number, minBytes: number, maxBytes: number) =>
  fc.uniqueArray(fc.record({ id: fc.integer({ min: 1, max: maxId }), data: bytes(maxBytes, minBytes) }), {
    maxLength: 6,
    selector: ({ id }) => id,
  });

const packet = fc.record({
  marker: fc.boolean(),
  payloadType: fc.integer({ min: 0, max: 127 }),
  sequenceNumber: fc.integer({ min: 0, max: 0xffff }),
  timestamp: uint32,
  ssrc: uint32,
  csrcs: fc.array(uint32, { maxLength: 15 }),
  extensions: fc.oneof(extensions(14, 1, 16), extensions(255, 0, 255)),
  payload: bytes(200),
  padding: fc.integer({ min: 0, max: 255 }),
});

test('a packet comes back as it was written: CSRCs, one- and two-byte extensions, padding', () => {
  fc.assert(
    fc.property(packet, (init) => {
      const data = serializeRtp(init);
      const header = parseRtpHeader(data)!;
      const { extensions: written, payload, padding, ...fixed } = init;
      expect(header).toMatchObject(fixed);
      expect(readExtensions(data, header)).toEqual(written);
      for (const { id, data: value } of written) expect(readExtension(data, header, id)).toEqual(value);
      expect(header.padding).toBe(padding > 0);
      expect(stripPadding(data.subarray(header.headerLength), header)).toEqual(payload);
    }),
  );
});

test('random and cut bytes never throw', () => {
  const look = (data: Buffer) => {
    const header = parseRtpHeader(data);
    if (!header) return;
    readExtensions(data, header);
    readExtension(data, header, 1);
    stripPadding(data.subarray(header.headerLength), header);
  };
  fc.assert(fc.property(bytes(120), look), { numRuns: 2000 });
  fc.assert(
    fc.property(packet, fc.nat(), fc.nat(), fc.nat(255), (init, cut, at, byte) => {
      const data = serializeRtp(init);
      data[at % data.length] = byte;
      look(data);
      look(data.subarray(0, cut % (data.length + 1)));
    }),
    { numRuns: 2000 },
  );
});

describe('malformed packets', () => {
  test.each([
    ['empty', ''],
    ['of another version', '40600001000000000000000a'],
    ['shorter than the CSRCs that it counts', '8f600001000000000000000a'],
    ['shorter than its extension', '90600001000000000000000abede0002'],
  ])('%s', (_name, hex) => {
    expect(parseRtpHeader(Buffer.from(hex, 'hex'))).toBeUndefined();
  });

  test('padding that counts more than there is, or nothing', () => {
    const header = parseRtpHeader(Buffer.from('a0600001000000000000000a', 'hex'))!;
    expect(stripPadding(Buffer.from([1, 2, 4]), header)).toBeUndefined();
    expect(stripPadding(Buffer.from([1, 2, 0]), header)).toBeUndefined();
    expect(stripPadding(Buffer.alloc(0), header)).toBeUndefined();
    expect(stripPadding(Buffer.from([1, 2, 3]), header)).toEqual(Buffer.alloc(0));
  });

  test('an extension with id 15 ends the list, one longer than the block is passed over', () => {
    const ended = Buffer.from('90600001000000000000000abede0002f0aa10bb10cc0000', 'hex');
    expect(readExtensions(ended, parseRtpHeader(ended)!)).toEqual([]);
    const long = Buffer.from('90600001000000000000000abede0001 10aa2fbb'.replace(' ', ''), 'hex');
    expect(readExtensions(long, parseRtpHeader(long)!)).toEqual([{ id: 1, data: Buffer.from([0xaa]) }]);
  });
});

test('RTCP is told from RTP by its packet type (RFC 5761)', () => {
  const withType = (type: number) => isRtcp(Buffer.from([0x80, type, 0, 0]));
  expect([191, 192, 200, 223, 224].map(withType)).toEqual([false, true, true, true, false]);
  expect(isRtcp(Buffer.from([0x80]))).toBe(false);
});

describe.each([
  ['one-byte', { mid: 1, rid: 2, repairedRid: 3, absSendTime: 4, transportCc: 5, audioLevel: 6 }],
  ['two-byte', { mid: 1, rid: 2, repairedRid: 3, absSendTime: 20, transportCc: 200, audioLevel: 15 }],
])('the header template with %s extensions', (_name, ids) => {
  const fields = {
    marker: true,
    sequenceNumber: 65_535,
    timestamp: 0xdead_beef,
    transportSequence: 0x1234,
    // 2.5 s after a multiple of 64 s: 2.5 · 2^18.
    nowMs: 64_000 * 1000 + 2500,
    audioLevel: 30,
  };

  test('writes what the parser reads', () => {
    const template = new HeaderTemplate({
      ssrc: 7,
      payloadType: 111,
      mid: 'audio0',
      rid: 'h',
      extensions: ids,
      audioLevel: true,
    });
    const data = Buffer.alloc(template.byteLength, 0xff);
    template.write(data, fields);
    const header = parseRtpHeader(data)!;
    expect(header).toMatchObject({
      marker: true,
      payloadType: 111,
      sequenceNumber: 65_535,
      timestamp: 0xdead_beef,
      ssrc: 7,
      headerLength: template.byteLength,
    });
    const value = (id: number) => readExtension(data, header, id);
    expect(value(ids.mid)?.toString()).toBe('audio0');
    expect(value(ids.rid)?.toString()).toBe('h');
    expect(value(ids.repairedRid)).toBeUndefined();
    expect(value(ids.transportCc)?.readUInt16BE(0)).toBe(0x1234);
    expect(value(ids.absSendTime)?.readUIntBE(0, 3)).toBe(2.5 * 2 ** 18);
    expect(readAudioLevel(value(ids.audioLevel)!)).toEqual({ voice: true, level: 30 });
    template.write(data, { ...fields, marker: false });
    expect(parseRtpHeader(data)?.marker).toBe(false);
  });
});

test('a template without extensions is twelve bytes', () => {
  const template = new HeaderTemplate({ ssrc: 7, payloadType: 96, mid: '0', extensions: {} });
  expect(template.byteLength).toBe(12);
  expect(template.hasTransportSequence).toBe(false);
});

test('audio levels are held in range', () => {
  expect(readAudioLevel(Buffer.from([audioLevelByte(-3)]))).toEqual({ voice: true, level: 0 });
  expect(readAudioLevel(Buffer.from([audioLevelByte(400)]))).toEqual({ voice: false, level: 127 });
  expect(readAudioLevel(Buffer.alloc(0))).toBeUndefined();
});
