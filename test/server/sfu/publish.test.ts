import { type MediaDescription, parse } from 'sdp-transform';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Peer, PublishReply, PublishRequest, Room, Sfu } from '../../../src/server/sfu/index.ts';
import { startSfu } from './harness.ts';
import { H264, MID_EXT, offer, RID_EXTS, RIDS, section, TCC_EXT, VP8, VP9 } from './offers.ts';

let sfu: Sfu;
let room: Room;
let peer: Peer;
let count = 0;

beforeAll(async () => {
  sfu = await startSfu();
  room = await sfu.createRoom('publishing');
});
afterAll(() => sfu.close());
beforeEach(() => {
  peer?.close();
  peer = room.addPeer(`peer-${count++}`);
});

async function publish(
  sdp: string,
  options: Omit<PublishRequest, 'sdp'> = {},
): Promise<PublishReply & { media: MediaDescription[]; session: ReturnType<typeof parse> }> {
  const reply = await peer.publish({ sdp, ...options });
  const session = parse(reply.sdp);
  return { ...reply, session, media: session.media };
}

const video = (options: Parameters<typeof section>[0] = {}) =>
  section({ kind: 'video', mid: '1', ...options });
const codecs = (media: MediaDescription | undefined) => media?.rtp.map(({ codec }) => codec);

describe('what an answer says', () => {
  test('audio and video in one bundle, ICE-lite, passive', async () => {
    const { session, media, tracks } = await publish(offer([section(), video()]));
    expect(session.icelite).toBe('ice-lite');
    expect(session.groups).toEqual([{ type: 'BUNDLE', mids: '0 1' }]);
    expect(session.fingerprint?.type).toBe('sha-256');
    expect(media.map(({ type, direction, setup }) => [type, direction, setup])).toEqual([
      ['audio', 'recvonly', 'passive'],
      ['video', 'recvonly', 'passive'],
    ]);
    expect(media[0]?.candidates).toMatchObject([
      { transport: 'udp' },
      { transport: 'tcp', tcptype: 'passive' },
    ]);
    expect(media[0]?.candidates?.map(({ port }) => port)).toEqual([
      sfu.workers()[0]?.udpPort,
      sfu.workers()[0]?.tcpPort,
    ]);
    expect(media[1]?.candidates).toBeUndefined();
    expect(media[1]?.iceUfrag).toBe(media[0]?.iceUfrag);
    expect(tracks.map(({ mid }) => mid)).toEqual(['0', '1']);
    expect(peer.tracks.map(({ id }) => id)).toEqual(tracks.map(({ trackId }) => trackId));
  });

  test('Opus with FEC, DTX and stereo', async () => {
    const { media } = await publish(offer([section()]));
    expect(media[0]?.fmtp[0]?.config.split(';').sort()).toEqual([
      'minptime=10',
      'sprop-stereo=1',
      'stereo=1',
      'usedtx=1',
      'useinbandfec=1',
    ]);
  });

  test('VP9 before VP8 before H.264, whatever the order of the offer', async () => {
    expect(codecs((await publish(offer([video({ codecs: [...H264, ...VP8, ...VP9] })]))).media[0])).toEqual([
      'VP9',
      'rtx',
    ]);
    expect(
      codecs((await publish(offer([video({ codecs: [...H264, ...VP8] })]), { reset: true })).media[0]),
    ).toEqual(['VP8', 'rtx']);
    expect(codecs((await publish(offer([video({ codecs: H264 })]), { reset: true })).media[0])).toEqual([
      'H264',
      'rtx',
    ]);
  });

  test('payload types and extension ids of the other side', async () => {
    const own = [
      'a=rtpmap:35 VP8/90000',
      'a=rtcp-fb:* nack pli',
      'a=rtpmap:36 rtx/90000',
      'a=fmtp:36 apt=35',
    ];
    const { media } = await publish(
      offer([
        video({
          codecs: own,
          lines: ['a=extmap:13 urn:ietf:params:rtp-hdrext:sdes:mid', 'a=extmap:9 urn:unheard-of'],
        }),
      ]),
    );
    expect(media[0]?.payloads).toBe('35 36');
    expect(media[0]?.fmtp.find(({ payload }) => payload === 36)?.config).toContain('apt=35');
    expect(media[0]?.ext).toEqual([{ value: 13, uri: 'urn:ietf:params:rtp-hdrext:sdes:mid' }]);
  });

  test('the same payload type may mean something else in another section', async () => {
    const { media } = await publish(
      offer([section({ codecs: ['a=rtpmap:96 opus/48000/2'] }), video({ codecs: VP8 })]),
    );
    expect(media.map((each) => each.payloads)).toEqual([96, '96 97']);
  });

  test('extmap-allow-mixed and rtcp-rsize only where offered', async () => {
    const plain = offer([section()]).replace('a=extmap-allow-mixed\r\n', '').replace('a=rtcp-rsize\r\n', '');
    expect((await peer.publish({ sdp: plain })).sdp).not.toMatch(/extmap-allow-mixed|rtcp-rsize/);
    expect((await peer.publish({ sdp: offer([section()]), reset: true })).sdp).toMatch(
      /extmap-allow-mixed[\s\S]*rtcp-rsize/,
    );
  });

  test.each([
    ['actpass', 'passive'],
    ['active', 'passive'],
    ['passive', 'active'],
  ])('setup:%s is answered setup:%s', async (setup, answered) => {
    expect((await publish(offer([section()], { setup }))).media[0]?.setup).toBe(answered);
  });

  test('only lines with CRLF, and LF is taken too', async () => {
    const { sdp } = await publish(offer([section()]).replaceAll('\r\n', '\n'));
    expect(sdp.split('\r\n').every((line) => !line.includes('\n'))).toBe(true);
  });
});

describe('which sections are taken', () => {
  test('any order, several videos, and recvonly and inactive ones idle', async () => {
    const { media, tracks } = await publish(
      offer([
        video({ mid: 'cam' }),
        section({ mid: 'in', direction: 'recvonly' }),
        video({ mid: 'scr', direction: 'sendrecv' }),
        section({ mid: 'off', direction: 'inactive' }),
        section({ mid: 'mic' }),
      ]),
      { tracks: [{ mid: 'scr', source: 'screen', muted: true }] },
    );
    expect(media.map(({ mid, direction }) => [mid, direction])).toEqual([
      ['cam', 'recvonly'],
      ['in', 'inactive'],
      ['scr', 'recvonly'],
      ['off', 'inactive'],
      ['mic', 'recvonly'],
    ]);
    expect(tracks.map(({ mid }) => mid)).toEqual(['cam', 'scr', 'mic']);
    expect(peer.tracks.map(({ source, muted }) => [source, muted])).toEqual([
      ['camera', false],
      ['screen', true],
      ['microphone', false],
    ]);
  });

  test('data channels, foreign codecs and plain RTP are rejected beside what is taken', async () => {
    const { session, media, tracks } = await publish(
      offer([
        section({ kind: 'application', mid: 'data' }),
        section({ mid: 'g711', codecs: ['a=rtpmap:0 PCMU/8000'] }),
        video({
          mid: 'mode0',
          codecs: ['a=rtpmap:96 H264/90000', 'a=fmtp:96 packetization-mode=0;profile-level-id=42e01f'],
        }),
        section({ mid: 'plain', protocol: 'RTP/AVP' }),
        section({ mid: 'mic' }),
      ]),
    );
    expect(media.map(({ mid, port }) => [mid, port])).toEqual([
      ['data', 0],
      ['g711', 0],
      ['mode0', 0],
      ['plain', 0],
      ['mic', 9],
    ]);
    expect(media[0]).toMatchObject({
      type: 'application',
      protocol: 'UDP/DTLS/SCTP',
      payloads: 'webrtc-datachannel',
    });
    expect(session.groups).toEqual([{ type: 'BUNDLE', mids: 'mic' }]);
    expect(media[4]?.candidates).toHaveLength(2);
    expect(tracks).toHaveLength(1);
  });

  test('sections outside the bundle are rejected, bundle-only ones are not', async () => {
    const { media } = await publish(
      offer([section(), video({ port: 0, lines: ['a=bundle-only', MID_EXT] }), video({ mid: '2' })], {
        bundle: '0 1',
      }),
    );
    expect(media.map(({ port }) => port)).toEqual([9, 9, 0]);
  });

  test('without a bundle the first usable section is taken alone', async () => {
    const { session, media } = await publish(
      offer([section({ kind: 'application', mid: 'd' }), section(), video()], { bundle: null }),
    );
    expect(session.groups).toBeUndefined();
    expect(media.map(({ port }) => port)).toEqual([0, 9, 0]);
  });

  test('a section without a mid is named by its index', async () => {
    const { media, tracks } = await publish(
      offer([section({ mid: null, lines: ['a=ssrc:1234 cname:x'] })], { bundle: null }),
    );
    expect(media[0]?.mid).toBeUndefined();
    expect(tracks).toEqual([{ mid: '0', trackId: peer.tracks[0]?.id }]);
  });
});

describe('which streams a section sends', () => {
  const layers = () => peer.tracks.at(-1)?.layers;

  test('simulcast by rid, with VP8 first', async () => {
    const { media } = await publish(
      offer([video({ codecs: [...VP9, ...VP8, ...H264], lines: [MID_EXT, TCC_EXT, ...RID_EXTS, ...RIDS] })]),
    );
    expect(codecs(media[0])).toEqual(['VP8', 'rtx']);
    expect(media[0]?.rids).toEqual(['r0', 'r1', 'r2'].map((id) => ({ id, direction: 'recv' })));
    expect(media[0]?.simulcast).toEqual({ dir1: 'recv', list1: 'r0;r1;r2' });
    expect(layers()).toBe(3);
  });

  test('simulcast of H.264 where there is no VP8', async () => {
    const { media } = await publish(
      offer([video({ codecs: [...VP9, ...H264], lines: [MID_EXT, ...RID_EXTS, ...RIDS] })]),
    );
    expect(codecs(media[0])).toEqual(['H264', 'rtx']);
    expect(layers()).toBe(3);
  });

  test('of VP9 alone one stream, as the worker cannot switch between its layers', async () => {
    const { media } = await publish(offer([video({ codecs: VP9, lines: [MID_EXT, ...RID_EXTS, ...RIDS] })]));
    expect(codecs(media[0])).toEqual(['VP9', 'rtx']);
    expect(media[0]?.simulcast).toBeUndefined();
    expect(media[0]?.ext?.map(({ uri }) => uri)).toEqual(['urn:ietf:params:rtp-hdrext:sdes:mid']);
    expect(layers()).toBe(1);
  });

  test('paused layers and alternatives (RFC 8853)', async () => {
    const rids = ['a=rid:1 send', 'a=rid:2 send', 'a=rid:3 send max-br=900000', 'a=simulcast:send 1;2,9;~3'];
    const { media } = await publish(offer([video({ lines: [MID_EXT, ...RID_EXTS, ...rids] })]));
    expect(media[0]?.simulcast?.list1).toBe('1;2;3');
    expect(layers()).toBe(3);
  });

  test('simulcast by a SIM group, with RTX by FID groups', async () => {
    const ssrcs = [11, 12, 13, 21, 22, 23].map((ssrc) => `a=ssrc:${ssrc} cname:me`);
    const groups = [
      'a=ssrc-group:SIM 11 12 13',
      'a=ssrc-group:FID 11 21',
      'a=ssrc-group:FID 12 22',
      'a=ssrc-group:FID 13 23',
    ];
    await publish(offer([video({ lines: [MID_EXT, ...groups, ...ssrcs] })]));
    expect(layers()).toBe(3);
  });

  test('one ssrc with RTX, and FlexFEC beside it', async () => {
    const lines = [
      'a=ssrc-group:FID 5 6',
      'a=ssrc-group:FEC-FR 5 7',
      ...[5, 6, 7].map((ssrc) => `a=ssrc:${ssrc} cname:me`),
    ];
    await publish(offer([video({ lines })]));
    expect(layers()).toBe(1);
  });
});
