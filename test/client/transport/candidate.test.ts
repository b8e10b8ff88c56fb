import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Candidate, formatCandidate, parseCandidate } from '../../../src/client/transport/candidate.ts';

describe('parseCandidate', () => {
  test('reads what a mediasoup server announces', () => {
    expect(parseCandidate('candidate:udpcandidate 1 udp 1076302079 192.0.2.1 44444 typ host')).toEqual({
      foundation: 'udpcandidate',
      protocol: 'udp',
      priority: 1_076_302_079,
      address: '192.0.2.1',
      port: 44_444,
      type: 'host',
    });
    expect(
      parseCandidate(
        'a=candidate:tcpcandidate 1 TCP 1076276479 2001:db8::1 44444 typ host tcptype passive ufrag x',
      ),
    ).toMatchObject({ protocol: 'tcp', address: '2001:db8::1', tcpType: 'passive' });
  });

  test.each([
    ['mDNS', '1 1 udp 1 5b6e7d2c-9d6c-4d0a-8c4e-4f0b4a8a7c11.local 5000 typ host'],
    ['the RTCP component', '1 2 udp 1 192.0.2.1 5000 typ host'],
    ['another protocol', '1 1 sctp 1 192.0.2.1 5000 typ host'],
    ['TCP without its type', '1 1 tcp 1 192.0.2.1 5000 typ host'],
    ['an unknown type', '1 1 udp 1 192.0.2.1 5000 typ magic'],
    ['a port out of range', '1 1 udp 1 192.0.2.1 65536 typ host'],
    ['a priority out of range', '1 1 udp 4294967296 192.0.2.1 5000 typ host'],
    ['an address that is none', '1 1 udp 1 192.0.2.1;x 5000 typ host'],
    ['nothing', ''],
  ])('ignores %s', (_what, text) => {
    expect(parseCandidate(text)).toBeUndefined();
  });

  test('takes any text without throwing', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseCandidate(text)));
  });
});

test('what formatCandidate writes parseCandidate reads', () => {
  const candidate: fc.Arbitrary<Candidate> = fc.record({
    foundation: fc.stringMatching(/^[\da-zA-Z+/]{1,32}$/),
    protocol: fc.constant('udp' as const),
    priority: fc.integer({ min: 0, max: 0xffff_ffff }),
    address: fc.oneof(fc.ipV4(), fc.constantFrom('2001:db8::1', '::1')),
    port: fc.integer({ min: 1, max: 65_535 }),
    type: fc.constantFrom('host', 'srflx', 'prflx', 'relay'),
  });
  fc.assert(
    fc.property(candidate, (each) => {
      expect(parseCandidate(formatCandidate(each))).toEqual(each);
    }),
  );
});
