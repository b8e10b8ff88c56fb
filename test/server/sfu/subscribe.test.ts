import { parse } from 'sdp-transform';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Peer, Room, Sfu, SubscribeOffer } from '../../../src/server/sfu/index.ts';
import { nextOffer, startSfu } from './harness.ts';
import { acceptAll, MID_EXT, offer, RID_EXTS, RIDS, section, VP8, VP9 } from './offers.ts';

let sfu: Sfu;
let room: Room;
let alice: Peer;
let bob: Peer;

beforeAll(async () => {
  sfu = await startSfu();
});
afterAll(() => sfu.close());
beforeEach(async () => {
  room = await sfu.createRoom('subscribing');
  alice = room.addPeer('alice');
  bob = room.addPeer('bob');
});
afterEach(() => room.close());

const audio = section({ lines: [MID_EXT, 'a=ssrc:1 cname:alice'] });
const simulcast = section({ kind: 'video', mid: '1', lines: [MID_EXT, ...RID_EXTS, ...RIDS] });
const screen = section({ kind: 'video', mid: '2', codecs: VP9, lines: [MID_EXT, 'a=ssrc:3 cname:alice'] });

const publish = (...sections: string[]) => alice.publish({ sdp: offer(sections) });
const everything = { audio: true, video: true };

/** Subscribes and gives the offer that comes of it. */
async function subscribe(peer: Peer, options = everything): Promise<SubscribeOffer> {
  const coming = nextOffer(peer);
  await peer.setSubscription(options);
  return coming;
}

/** The offer that comes after this one is answered. */
async function answerAndWait(peer: Peer, answer: string): Promise<SubscribeOffer> {
  const coming = nextOffer(peer);
  await peer.answer(answer);
  return coming;
}

describe('what an offer says', () => {
  test('a section a track: its codec, streams, names and extensions', async () => {
    const { tracks } = await publish(audio, simulcast);
    const offered = await subscribe(bob);
    const { media, groups, icelite, fingerprint } = parse(offered.sdp);
    expect(offered.reset).toBe(false);
    expect(offered.tracks).toEqual([
      { mid: '0', trackId: tracks[0]?.trackId, participantId: 'alice', kind: 'audio', source: 'microphone' },
      { mid: '1', trackId: tracks[1]?.trackId, participantId: 'alice', kind: 'video', source: 'camera' },
    ]);
    expect(icelite).toBe('ice-lite');
    expect(fingerprint?.type).toBe('sha-256');
    expect(groups).toEqual([{ type: 'BUNDLE', mids: '0 1' }]);
    for (const [index, each] of media.entries()) {
      expect(each).toMatchObject({ direction: 'sendonly', setup: 'actpass', rtcpMux: 'rtcp-mux' });
      expect(each.msid).toEqual([{ id: 'alice', appdata: tracks[index]?.trackId }]);
      expect(each.ssrcs?.every(({ attribute }) => attribute === 'cname')).toBe(true);
    }
    expect(media.map(({ rtp }) => rtp.map(({ codec }) => codec))).toEqual([['opus'], ['VP8', 'rtx']]);
    // One stream with its repair: the layers end at the server.
    expect(media[1]?.ssrcGroups).toMatchObject([{ semantics: 'FID' }]);
    expect(media[1]?.simulcast).toBeUndefined();
    const uris = media.map(({ ext }) => ext?.map(({ uri }) => uri.slice(uri.lastIndexOf('/') + 1)));
    expect(uris[0]).toEqual(
      expect.arrayContaining([
        'urn:ietf:params:rtp-hdrext:sdes:mid',
        'abs-send-time',
        'urn:ietf:params:rtp-hdrext:ssrc-audio-level',
      ]),
    );
    expect(uris[1]).toEqual(
      expect.arrayContaining([
        'urn:ietf:params:rtp-hdrext:sdes:mid',
        'abs-send-time',
        'draft-holmer-rmcat-transport-wide-cc-extensions-01',
      ]),
    );
  });

  test('nothing is offered while there is nothing, nor of oneself', async () => {
    let offers = 0;
    alice.on('offer', () => offers++);
    await alice.setSubscription(everything);
    await publish(audio, simulcast);
    await alice.setSubscription(everything);
    expect(offers).toBe(0);
    await expect(alice.answer('v=0')).rejects.toMatchObject({ code: 'unexpected-answer' });
  });

  test('all tracks of one publication in one offer', async () => {
    await bob.setSubscription(everything);
    const coming = nextOffer(bob);
    await publish(audio, simulcast, screen);
    expect((await coming).tracks).toHaveLength(3);
  });

  test('only the kinds that are wanted, and a change of mind', async () => {
    await publish(audio, simulcast);
    const first = await subscribe(bob, { audio: true, video: false });
    expect(first.tracks.map(({ kind }) => kind)).toEqual(['audio']);
    await bob.answer(acceptAll(first.sdp));
    const second = await subscribe(bob, { audio: false, video: true });
    expect(second.tracks.map(({ kind, mid }) => [kind, mid])).toEqual([['video', '1']]);
    expect(parse(second.sdp).media.map(({ direction }) => direction)).toEqual(['inactive', 'sendonly']);
  });
});

describe('one offer at a time', () => {
  test('what changes meanwhile is offered after the answer, in one go', async () => {
    await publish(audio);
    const first = await subscribe(bob);
    let offers = 0;
    bob.on('offer', () => offers++);
    await publish(audio, simulcast);
    await publish(audio, simulcast, screen);
    expect(offers).toBe(0);
    expect(bob.openOffer).toBe(first);
    const second = await answerAndWait(bob, acceptAll(first.sdp));
    expect(offers).toBe(1);
    expect(second.reset).toBe(false);
    expect(second.tracks).toHaveLength(3);
    expect(parse(second.sdp).origin.sessionId).toBe(parse(first.sdp).origin.sessionId);
    await bob.answer(acceptAll(second.sdp));
    expect(bob.openOffer).toBeUndefined();
    await expect(bob.answer(acceptAll(second.sdp))).rejects.toMatchObject({ code: 'unexpected-answer' });
  });

  test('an answer that does not fit leaves the offer open', async () => {
    await publish(audio, simulcast);
    const { sdp } = await subscribe(bob);
    const good = acceptAll(sdp);
    for (const bad of [
      'nonsense',
      good.slice(0, good.lastIndexOf('m=')),
      good.replace('m=audio', 'm=video'),
      good.replace('a=mid:1', 'a=mid:7'),
      good.replace(/^a=fingerprint.*\r\n/m, ''),
    ]) {
      await expect(bob.answer(bad)).rejects.toMatchObject({ code: 'bad-sdp' });
    }
    await bob.answer(good);
  });

  test('an answer with more sections than were offered', async () => {
    await publish(audio);
    const { sdp } = await subscribe(bob);
    await expect(bob.answer(`${acceptAll(sdp)}${screen}\r\n`)).rejects.toMatchObject({
      code: 'too-many-streams',
    });
  });
});

describe('tracks that end', () => {
  test('their section is inactive, and carries the next track of its kind', async () => {
    await publish(audio, simulcast);
    const first = await subscribe(bob);
    const coming = nextOffer(bob);
    await bob.answer(acceptAll(first.sdp));
    await publish(audio, simulcast.replace('sendonly', 'inactive'));
    const second = await coming;
    const ended = parse(second.sdp).media[1];
    expect(ended?.direction).toBe('inactive');
    expect(ended?.ssrcs ?? []).toEqual([]);
    expect(second.tracks).toHaveLength(1);

    const again = nextOffer(bob);
    await bob.answer(acceptAll(second.sdp));
    await publish(audio, simulcast.replace('sendonly', 'inactive'), screen);
    const third = await again;
    expect(third.tracks.map(({ mid, kind }) => [mid, kind])).toEqual([
      ['0', 'audio'],
      ['1', 'video'],
    ]);
    expect(parse(third.sdp).media[1]?.rtp.map(({ codec }) => codec)).toEqual(['VP9', 'rtx']);
  });

  test('a participant that leaves takes its tracks along', async () => {
    await publish(audio, simulcast);
    await bob.answer(acceptAll((await subscribe(bob)).sdp));
    const coming = nextOffer(bob);
    alice.close();
    const { sdp, tracks } = await coming;
    expect(tracks).toEqual([]);
    expect(parse(sdp).media.map(({ direction }) => direction)).toEqual(['inactive', 'inactive']);
  });

  test('a track that ends while its answer is on the way does not hold up what comes after', async () => {
    await publish(audio);
    await bob.answer(acceptAll((await subscribe(bob)).sdp));
    const carol = room.addPeer('carol');
    const coming = nextOffer(bob);
    await carol.publish({ sdp: offer([audio]) });
    const second = await coming;
    expect(second.tracks).toHaveLength(2);
    const again = nextOffer(bob);
    carol.close();
    await bob.answer(acceptAll(second.sdp));
    expect((await again).tracks.map(({ participantId }) => participantId)).toEqual(['alice']);
  });

  test('muting does not renegotiate', async () => {
    const { tracks } = await publish(audio);
    await bob.answer(acceptAll((await subscribe(bob)).sdp));
    let offers = 0;
    bob.on('offer', () => offers++);
    await alice.setMuted(tracks[0]!.trackId, true);
    await alice.setMuted(tracks[0]!.trackId, false);
    await publish(audio);
    expect(offers).toBe(0);
  });
});

describe('receivers that cannot take everything', () => {
  /** `m=video 9` → refused. */
  const refuse = (kind: string) => (text: string) =>
    text.startsWith(`m=${kind}`) ? text.replace(`m=${kind} 9`, `m=${kind} 0`) : text;
  const vp8 = section({ kind: 'video', mid: '2', codecs: VP8, lines: [MID_EXT, 'a=ssrc:3 cname:alice'] });

  test('a refused codec is not offered again, others are, in a new section', async () => {
    await publish(
      audio,
      section({ kind: 'video', mid: '1', codecs: VP9, lines: [MID_EXT, 'a=ssrc:2 cname:a'] }),
    );
    const first = await subscribe(bob);
    await bob.answer(acceptAll(first.sdp, refuse('video')));
    const coming = nextOffer(bob);
    const carol = room.addPeer('carol');
    await carol.publish({ sdp: offer([section({ kind: 'video', mid: '0', codecs: VP9 }), vp8]) });
    const second = await coming;
    expect(second.tracks.map(({ participantId, mid }) => [participantId, mid])).toEqual([
      ['alice', '0'],
      ['carol', '2'],
    ]);
    expect(parse(second.sdp).groups?.[0]?.mids).toBe('0 2');
    // A new subscription on a new connection asks again.
    const third = await subscribe(bob, { ...everything, reset: true } as typeof everything);
    expect(third.reset).toBe(true);
    expect(third.tracks).toHaveLength(4);
  });

  test('everything refused, the first section included', async () => {
    await publish(audio, vp8);
    const first = await subscribe(bob);
    await bob.answer(acceptAll(first.sdp, (text) => text.replace(/^m=(\w+) 9/, 'm=$1 0')));
    expect(bob.openOffer).toBeUndefined();
    let offers = 0;
    bob.on('offer', () => offers++);
    await bob.setSubscription(everything);
    expect(offers).toBe(0);
    // Both sections are used again when something else comes.
    const coming = nextOffer(bob);
    await publish(
      audio,
      vp8,
      section({ kind: 'video', mid: '3', codecs: VP9, lines: [MID_EXT, 'a=ssrc:4 cname:a'] }),
    );
    const { sdp } = await coming;
    const { media, groups } = parse(sdp);
    expect(media.map(({ port, type }) => [type, port])).toEqual([
      ['audio', 0],
      ['video', 9],
    ]);
    expect(String(groups?.[0]?.mids)).toBe('2');
    expect(media[1]?.candidates).toHaveLength(2);
    await bob.answer(acceptAll(sdp));
  });

  test('a section that is only declined keeps its codec', async () => {
    await publish(audio, vp8);
    const first = await subscribe(bob);
    await bob.answer(acceptAll(first.sdp, (text) => text.replace('a=recvonly', 'a=inactive')));
    const again = await subscribe(bob);
    expect(again.tracks).toHaveLength(2);
    expect(parse(again.sdp).media.map(({ mid }) => String(mid))).toEqual(['0', '1']);
  });

  test('without RTX the track is offered again without it', async () => {
    await publish(vp8.replace('a=mid:2', 'a=mid:0'));
    const first = await subscribe(bob);
    const withoutRtx = acceptAll(first.sdp, (text) =>
      text
        .replace(/^(m=video 9 \S+ \d+) \d+/, '$1')
        .replaceAll(/\r\na=(rtpmap:\d+ rtx|fmtp:\d+ apt)[^\r]*/g, ''),
    );
    const second = await answerAndWait(bob, withoutRtx);
    const [media] = parse(second.sdp).media;
    expect(media?.rtp.map(({ codec }) => codec)).toEqual(['VP8']);
    expect(media?.ssrcGroups ?? []).toEqual([]);
    expect(media?.direction).toBe('sendonly');
  });
});

describe('the connection', () => {
  test('an ICE restart offers fresh credentials', async () => {
    await publish(audio);
    const first = await subscribe(bob);
    await bob.answer(acceptAll(first.sdp));
    const coming = nextOffer(bob);
    await bob.restartIce();
    const second = await coming;
    expect(parse(second.sdp).media[0]?.iceUfrag).not.toBe(parse(first.sdp).media[0]?.iceUfrag);
    expect(second.reset).toBe(false);
  });

  test('an ICE restart while an offer is open comes after the answer', async () => {
    await publish(audio);
    const first = await subscribe(bob);
    await bob.restartIce();
    const second = await answerAndWait(bob, acceptAll(first.sdp));
    expect(parse(second.sdp).media[0]?.iceUfrag).not.toBe(parse(first.sdp).media[0]?.iceUfrag);
  });

  test('reset builds a new one, also while an offer is open', async () => {
    await publish(audio);
    const first = await subscribe(bob);
    const second = await subscribe(bob, { ...everything, reset: true } as typeof everything);
    expect(second.reset).toBe(true);
    expect(parse(second.sdp).origin.sessionId).not.toBe(parse(first.sdp).origin.sessionId);
    await bob.answer(acceptAll(second.sdp));
    expect((await bob.stats()).subscribe?.streams).toHaveLength(1);
  });

  test('an answer from another peer connection is refused', async () => {
    await publish(audio);
    await bob.answer(acceptAll((await subscribe(bob)).sdp));
    const coming = nextOffer(bob);
    await publish(audio, simulcast);
    const answer = acceptAll((await coming).sdp).replace(/(a=fingerprint:sha-256 )../, '$1FF');
    await expect(bob.answer(answer)).rejects.toThrow('another peer connection');
  });

  test('closing is final and may be done twice', async () => {
    await publish(audio);
    bob.close();
    bob.close();
    await expect(bob.setSubscription(everything)).rejects.toMatchObject({ code: 'not-found' });
    room.close();
    room.close();
    expect(() => room.addPeer('late')).toThrow('ended');
  });
});
