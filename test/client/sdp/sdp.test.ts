import { describe, expect, test } from 'vitest';
import {
  readSessionDescription,
  type SdpSection,
  writeSessionDescription,
} from '../../../src/client/sdp/index.ts';

const local = {
  usernameFragment: 'abcd',
  password: 'abcdefghijklmnopqrstuvwx',
  fingerprint: Array.from({ length: 32 }, () => 'AB').join(':'),
  candidates: [],
};

const video: SdpSection = {
  mid: '1',
  kind: 'video',
  direction: 'sendonly',
  rejected: false,
  codecs: [
    {
      payloadType: 96,
      name: 'vp8',
      clockRate: 90_000,
      parameters: {},
      feedback: ['nack', 'nack pli', 'transport-cc'],
    },
    { payloadType: 97, name: 'rtx', clockRate: 90_000, parameters: { apt: '96' }, feedback: [] },
  ],
  extensions: [{ id: 1, uri: 'urn:ietf:params:rtp-hdrext:sdes:mid' }],
  streams: [{ ssrc: 1234, rtxSsrc: 5678 }],
  cname: 'someone',
  msid: { streamId: 'someone', trackId: 'video' },
};

const describeOffer = (sections: SdpSection[]) =>
  writeSessionDescription({ sessionId: 1, version: 0, local, setup: 'actpass', sections });

describe('session descriptions', () => {
  test('what is written is read back', () => {
    const { transport, sections } = readSessionDescription(describeOffer([video]));
    expect(sections).toEqual([video]);
    expect(transport).toMatchObject({
      usernameFragment: 'abcd',
      password: local.password,
      iceLite: false,
      dtlsRole: 'client',
      fingerprints: [{ algorithm: 'sha-256', value: local.fingerprint }],
    });
  });

  test('simulcast goes out as rids without SSRCs', () => {
    const sdp = describeOffer([{ ...video, streams: [], sendRids: ['r0', 'r1', 'r2'] }]);
    expect(sdp).toContain('a=simulcast:send r0;r1;r2\r\n');
    expect(sdp).toContain('a=rid:r0 send\r\n');
    expect(sdp).not.toContain('a=ssrc:');
  });

  test('a refused section has port 0 and stays out of the bundle', () => {
    const sdp = describeOffer([{ ...video, mid: '0', rejected: true }, video]);
    expect(sdp).toContain('m=video 0 ');
    expect(sdp).toContain('a=group:BUNDLE 1\r\n');
    expect(readSessionDescription(sdp).sections.map((section) => section.rejected)).toEqual([true, false]);
  });

  test('candidates, ICE-lite and the role come from the description', () => {
    const sdp = describeOffer([video])
      .replace('a=setup:actpass', 'a=setup:active')
      .replace('t=0 0\r\n', 't=0 0\r\na=ice-lite\r\n')
      .concat('a=candidate:tcpcandidate 1 tcp 1076276479 127.0.0.1 4444 typ host tcptype passive\r\n');
    const { transport } = readSessionDescription(sdp);
    expect(transport).toMatchObject({
      iceLite: true,
      dtlsRole: 'server',
      candidates: ['tcpcandidate 1 tcp 1076276479 127.0.0.1 4444 typ host tcptype passive'],
    });
  });

  test.each([
    ['nothing', ''],
    ['text', 'hello'],
    ['no media', 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n'],
    ['no credentials', describeOffer([video]).replace(/a=ice-.*\r\n/g, '')],
    ['no fingerprint', describeOffer([video]).replace(/a=fingerprint.*\r\n/g, '')],
  ])('%s is refused with a sentence', (_, sdp) => {
    expect(() => readSessionDescription(sdp)).toThrow(expect.objectContaining({ code: 'bad-sdp' }));
  });
});
