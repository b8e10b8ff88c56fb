import { type MediaDescription, parse } from 'sdp-transform';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Peer, PublishReply, PublishRequest, Room, Sfu } from '../../../src/server/sfu/index.ts';
import { startSfu } from './harness.ts';
import { LEVEL_EXT, MID_EXT, OPUS, offer, section, VP8, VP9 } from './offers.ts';

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
  peer = room.addPeer(`p${count++}`);
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

describe('renegotiation', () => {
  const audio = section({ lines: [MID_EXT, LEVEL_EXT, 'a=ssrc:1 cname:a'] });
  const camera = video({ lines: [MID_EXT, 'a=ssrc:2 cname:a'] });
  const screen = (mid: string) => video({ mid, lines: [MID_EXT, `a=ssrc:${mid.length + 2} cname:a`] });

  test('adds, keeps, removes and uses sections again', async () => {
    const changes: number[] = [];
    peer.on('tracks', (tracks) => changes.push(tracks.length));
    const first = await publish(offer([audio, camera]));
    const second = await publish(offer([audio, camera, screen('2')]), {
      tracks: [{ mid: '2', source: 'screen' }],
    });
    expect(second.tracks.slice(0, 2)).toEqual(first.tracks);
    expect(second.session.origin.sessionId).toBe(first.session.origin.sessionId);
    expect(second.session.origin.sessionVersion).toBe(first.session.origin.sessionVersion + 1);
    expect(second.media[0]?.iceUfrag).toBe(first.media[0]?.iceUfrag);

    // Stopped: port 0. Then another m-section in its place, under a new mid.
    const third = await publish(
      offer([audio, camera, screen('2').replace('m=video 9', 'm=video 0')], { bundle: '0 1' }),
    );
    expect(third.tracks).toEqual(first.tracks);
    expect(third.media[2]?.port).toBe(0);
    const fourth = await publish(offer([audio, camera, screen('new')]));
    expect(fourth.tracks.map(({ mid }) => mid)).toEqual(['0', '1', 'new']);
    expect(fourth.tracks[2]?.trackId).not.toBe(second.tracks[2]?.trackId);

    // Inactive keeps its section, and comes back as a new track.
    const fifth = await publish(offer([audio, camera.replace('sendonly', 'inactive'), screen('new')]));
    expect(fifth.tracks.map(({ mid }) => mid)).toEqual(['0', 'new']);
    expect(fifth.media[1]?.direction).toBe('inactive');
    const sixth = await publish(offer([audio, camera, screen('new')]));
    expect(sixth.tracks).toHaveLength(3);
    expect(changes).toEqual([2, 3, 2, 3, 2, 3]);
  });

  test('keeps the codec that was agreed on, whatever comes first later', async () => {
    const first = await publish(offer([video({ codecs: VP8 })]));
    const second = await publish(offer([video({ codecs: [...VP9, ...VP8] })]));
    expect(codecs(second.media[0])).toEqual(['VP8', 'rtx']);
    expect(second.tracks).toEqual(first.tracks);
  });

  test('other streams in a section make a new track', async () => {
    const first = await publish(offer([camera]));
    const second = await publish(offer([camera.replace('ssrc:2', 'ssrc:77')]));
    expect(second.tracks[0]?.trackId).not.toBe(first.tracks[0]?.trackId);
    expect(peer.tracks).toHaveLength(1);
  });

  test('new ICE credentials restart ICE', async () => {
    const first = await publish(offer([audio]));
    const second = await publish(offer([audio], { ufrag: 'wxyz' }));
    expect(second.media[0]?.iceUfrag).not.toBe(first.media[0]?.iceUfrag);
    expect(second.tracks).toEqual(first.tracks);
  });

  test.each(['reset', 'another certificate'])('%s builds the connection anew', async (how) => {
    const first = await publish(offer([audio, camera]));
    const fingerprint = 'AB:'.repeat(32).slice(0, -1);
    const second =
      how === 'reset'
        ? await publish(offer([audio]), { reset: true })
        : await publish(offer([audio], { fingerprint }));
    expect(second.session.origin.sessionId).not.toBe(first.session.origin.sessionId);
    expect(peer.tracks.map(({ id }) => id)).toEqual(second.tracks.map(({ trackId }) => trackId));
  });

  test('muting pauses, and a later offer may say it too', async () => {
    const { tracks } = await publish(offer([audio]));
    const trackId = tracks[0]!.trackId;
    await peer.setMuted(trackId, true);
    expect(peer.tracks[0]?.muted).toBe(true);
    await publish(offer([audio]), { tracks: [{ mid: '0', source: 'microphone', muted: false }] });
    expect(peer.tracks[0]?.muted).toBe(false);
    await expect(peer.setMuted('nobody', true)).rejects.toMatchObject({ code: 'track-not-found' });
  });
});

describe('refusals', () => {
  const refused = (sdp: string) => expect(peer.publish({ sdp })).rejects;

  test('a second offer while the first is not answered', async () => {
    const first = peer.publish({ sdp: offer([section()]) });
    await refused(offer([section()])).toMatchObject({ code: 'offer-pending' });
    await first;
  });

  test.each([
    ['no text', ''],
    ['no SDP', 'hello'],
    ['no media', 'v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n'],
    ['no ICE', offer([section()]).replaceAll(/^a=ice-(ufrag|pwd).*\r\n/gm, '')],
    ['no fingerprint', offer([section()]).replace(/^a=fingerprint.*\r\n/m, '')],
    ['a fingerprint that is none', offer([section()], { fingerprint: 'AA:BB' })],
    ['held DTLS', offer([section()], { setup: 'holdconn' })],
    ['two sections of one mid', offer([section(), section()])],
    ['an ssrc out of range', offer([section({ lines: ['a=ssrc:99999999999 cname:a'] })])],
    [
      'two sections of one ssrc',
      offer([section({ lines: ['a=ssrc:5 cname:a'] }), video({ lines: ['a=ssrc:5 cname:a'] })]),
    ],
    ['nothing to know packets by', offer([section({ lines: [] })])],
  ])('%s', async (_name, sdp) => {
    await refused(sdp).toMatchObject({ code: 'bad-sdp', status: 400 });
    expect(peer.tracks).toEqual([]);
    expect(await peer.stats()).toEqual({});
  });

  test('no common codec', async () => {
    await refused(offer([section({ codecs: ['a=rtpmap:0 PCMU/8000'] })])).toMatchObject({
      code: 'no-common-codec',
    });
    await refused(offer([section({ kind: 'application', mid: '0' })])).toMatchObject({
      code: 'no-common-codec',
    });
  });

  test('too many sections', async () => {
    const many = (count: number) =>
      offer(Array.from({ length: count }, (_, mid) => section({ mid: String(mid) })));
    await refused(many(1000)).toMatchObject({ code: 'too-many-streams' });
    await refused(many(65)).toMatchObject({ code: 'too-many-streams' });
    expect((await publish(many(64))).tracks).toHaveLength(64);
  });

  test('a bad later offer leaves what was agreed', async () => {
    const { tracks } = await publish(offer([section(), video()]));
    await refused(offer([section()])).toMatchObject({ code: 'bad-sdp' });
    await refused('nonsense').toMatchObject({ code: 'bad-sdp' });
    expect(peer.tracks.map(({ id }) => id)).toEqual(tracks.map(({ trackId }) => trackId));
  });

  test('candidates are checked and not needed', () => {
    peer.addIceCandidate({ pc: 'publish', candidate: '' });
    peer.addIceCandidate({
      pc: 'publish',
      candidate: 'candidate:1 1 udp 2113937151 192.0.2.1 60017 typ host generation 0',
    });
    expect(() => peer.addIceCandidate({ pc: 'publish', candidate: 'rm -rf' })).toThrow('RFC 8839');
  });

  test('nobody publishes after leaving', async () => {
    peer.close();
    await refused(offer([section({ codecs: OPUS })])).toMatchObject({ code: 'not-found' });
  });
});
