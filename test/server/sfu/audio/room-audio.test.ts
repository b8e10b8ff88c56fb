/** When receivers get audio slots in the place of everybody's audio, as their offers say it. */
import { once } from 'node:events';
import { parse } from 'sdp-transform';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { AUDIO_SLOTS } from '../../../../src/server/sfu/audio/audio-slots.ts';
import { DIRECT_PARTICIPANTS, RETURN_PARTICIPANTS } from '../../../../src/server/sfu/audio/room-audio.ts';
import type { Peer, Room, Sfu, SubscribeOffer, Subscription } from '../../../../src/server/sfu/index.ts';
import { startSfu } from '../harness.ts';
import { acceptAll, LEVEL_EXT, MID_EXT, offer, section } from '../offers.ts';

let sfu: Sfu;
let room: Room;
let speakers: Peer[];

beforeAll(async () => {
  sfu = await startSfu();
});
afterAll(() => sfu.close());
beforeEach(async () => {
  room = await sfu.createRoom('large');
  speakers = [];
});
afterEach(() => room.close());

async function speak(peer: Peer, reset = false): Promise<void> {
  await peer.publish({ sdp: offer([section({ lines: [MID_EXT, LEVEL_EXT, 'a=ssrc:7 cname:x'] })]), reset });
}

/** So many more participants with a microphone, one after the other. */
async function come(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const peer = room.addPeer(`speaker-${speakers.length}`);
    speakers.push(peer);
    await speak(peer);
  }
}

/** A participant that takes whatever is offered. */
class Receiver {
  readonly peer: Peer;
  readonly offers: SubscribeOffer[] = [];

  constructor(id: string) {
    this.peer = room.addPeer(id);
    this.peer.on('offer', (each) => {
      this.offers.push(each);
      this.peer.answer(acceptAll(each.sdp)).catch(() => {});
    });
  }

  async subscribe(subscription: Partial<Subscription> = {}): Promise<this> {
    await this.peer.setSubscription({ audio: true, video: true, ...subscription });
    return this;
  }

  /** Waits until nothing is left to be negotiated and it gets this many tracks. */
  async settled(tracks: number): Promise<SubscribeOffer> {
    await vi.waitUntil(() => this.last?.tracks.length === tracks && this.peer.openOffer === undefined);
    return this.last!;
  }

  get last(): SubscribeOffer | undefined {
    return this.offers.at(-1);
  }
}

const slotNames = Array.from({ length: AUDIO_SLOTS }, (_, slot) => `slot-${slot}`);

describe('growing and shrinking', () => {
  test('ten are received as they are, the eleventh brings four slots with one offer, and more cost none', async () => {
    const receiver = await new Receiver('receiver').subscribe();
    await come(DIRECT_PARTICIPANTS);
    await receiver.settled(DIRECT_PARTICIPANTS);
    expect(room.audioSlots).toEqual([]);
    receiver.offers.length = 0;
    await come(1);
    const { sdp, tracks } = await receiver.settled(AUDIO_SLOTS);
    expect(receiver.offers).toHaveLength(1);
    expect(tracks.map(({ trackId }) => trackId)).toEqual(slotNames);
    expect(tracks).toEqual(
      tracks.map(({ mid }, slot) => ({
        mid,
        trackId: `slot-${slot}`,
        participantId: '',
        kind: 'audio',
        source: 'microphone',
        slot,
      })),
    );
    const sending = parse(sdp).media.filter(({ direction }) => direction === 'sendonly');
    expect(sending.map(({ msid }) => msid)).toEqual(slotNames.map((id) => [{ id, appdata: id }]));
    expect(room.audioSlots).toEqual(
      slotNames.map((_, slot) => ({ slot, participantId: null, trackId: null })),
    );
    await come(5);
    speakers.pop()!.close();
    await speakers[0]!.setMuted(speakers[0]!.tracks[0]!.id, true);
    expect(receiver.offers).toHaveLength(1);
  });

  test('two participants that come and go change nothing; at eight it is as before', async () => {
    await come(DIRECT_PARTICIPANTS + 1);
    const receiver = await new Receiver('receiver').subscribe();
    await receiver.settled(AUDIO_SLOTS);
    receiver.offers.length = 0;
    for (let left = DIRECT_PARTICIPANTS; left > RETURN_PARTICIPANTS; left--) speakers.pop()!.close();
    await come(1);
    speakers.pop()!.close();
    expect(receiver.offers).toEqual([]);
    speakers.pop()!.close();
    const { tracks } = await receiver.settled(RETURN_PARTICIPANTS);
    expect(receiver.offers).toHaveLength(1);
    expect(tracks.map(({ participantId }) => participantId)).toEqual(speakers.map(({ id }) => id));
    expect(room.audioSlots).toEqual([]);
  });

  test('all who come at once get the slots', async () => {
    speakers = Array.from({ length: 20 }, (_, i) => room.addPeer(`speaker-${i}`));
    const receivers = await Promise.all(['a', 'b', 'c'].map((id) => new Receiver(id).subscribe()));
    await Promise.all(speakers.map((peer) => speak(peer)));
    for (const receiver of receivers) {
      await vi.waitUntil(() => receiver.last?.tracks.every(({ slot }) => slot !== undefined));
      expect((await receiver.settled(AUDIO_SLOTS)).tracks.map(({ trackId }) => trackId)).toEqual(slotNames);
    }
  });

  test('a participant with two audio tracks counts once, and muted ones count', async () => {
    await come(DIRECT_PARTICIPANTS - 1);
    const both = room.addPeer('both');
    const lines = [MID_EXT, LEVEL_EXT];
    await both.publish({
      sdp: offer([
        section({ lines: [...lines, 'a=ssrc:1 cname:x'] }),
        section({ mid: '1', lines: [...lines, 'a=ssrc:2 cname:x'] }),
      ]),
      tracks: [
        { mid: '0', source: 'microphone', muted: true },
        { mid: '1', source: 'screen-audio' },
      ],
    });
    const receiver = await new Receiver('receiver').subscribe();
    await receiver.settled(DIRECT_PARTICIPANTS + 1);
    await come(1);
    await receiver.settled(AUDIO_SLOTS);
  });
});

describe('what is received', () => {
  test('a recorder gets every audio track, whatever the size of the meeting', async () => {
    const recorder = await new Receiver('recorder').subscribe({ allAudio: true });
    await come(DIRECT_PARTICIPANTS + 3);
    const { tracks } = await recorder.settled(DIRECT_PARTICIPANTS + 3);
    expect(tracks.map(({ participantId }) => participantId).sort()).toEqual(
      speakers.map(({ id }) => id).sort(),
    );
    expect(tracks.some(({ slot }) => slot !== undefined)).toBe(false);
  });

  test('who does not want audio gets no slots; videos stay beside them', async () => {
    await come(DIRECT_PARTICIPANTS + 1);
    const camera = room.addPeer('camera');
    await camera.publish({
      sdp: offer([section({ kind: 'video', lines: [MID_EXT, 'a=ssrc:9 cname:x'] })]),
    });
    const deaf = await new Receiver('deaf').subscribe({ audio: false });
    expect((await deaf.settled(1)).tracks).toMatchObject([{ participantId: 'camera', kind: 'video' }]);
    const receiver = await new Receiver('receiver').subscribe();
    const { tracks } = await receiver.settled(AUDIO_SLOTS + 1);
    expect(tracks.filter(({ kind }) => kind === 'video')).toMatchObject([{ participantId: 'camera' }]);
  });
});

describe('a worker that dies', () => {
  test('takes the slots along; the new one has them when the participants are back', async () => {
    await come(DIRECT_PARTICIPANTS + 1);
    const receiver = await new Receiver('receiver').subscribe();
    await receiver.settled(AUDIO_SLOTS);
    const reset = once(room, 'reset');
    process.kill(sfu.workers()[0]!.pid, 'SIGKILL');
    await reset;
    expect(room.audioSlots).toEqual([]);
    expect(room.speakers).toEqual([]);
    for (const peer of speakers) await speak(peer, true);
    receiver.offers.length = 0;
    await receiver.subscribe({ reset: true });
    expect((await receiver.settled(AUDIO_SLOTS)).reset).toBe(true);
    expect(room.audioSlots).toHaveLength(AUDIO_SLOTS);
  });
});
