/** A meeting of twelve who have audio, over real connections: who hears whom, and what it costs. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { createMeeting } from '../../../../src/client/api.ts';
import { joinMeeting } from '../../../../src/client/join.ts';
import type { MeetingClient } from '../../../../src/client/meeting.ts';
import type { RemoteTrack } from '../../../../src/client/peer/remote-track.ts';
import { SubscribeConnection } from '../../../../src/client/peer/subscribe-connection.ts';
import type { ReceivedFrame } from '../../../../src/client/types.ts';
import { startTestServer, type TestServer } from '../../../support/server.ts';
import { encodeTones, listenTo, Voice } from './voices.ts';

const VOICES = 12;

let server: TestServer;
let tones: Buffer[][];
beforeAll(async () => {
  [server, tones] = await Promise.all([startTestServer(), encodeTones(VOICES)]);
});
afterAll(() => server.close());

const joined: MeetingClient[] = [];
afterEach(async () => {
  await Promise.all(joined.splice(0).map((client) => client.leave()));
});

interface Heard extends ReceivedFrame {
  readonly track: RemoteTrack;
}

/** Someone who receives; everything that comes is kept. */
async function listener(meeting: string, source?: Voice) {
  const client = await joinMeeting({
    meeting,
    displayName: 'Listener',
    receive: 'audio',
    ...(source ? { source } : {}),
  });
  joined.push(client);
  const frames: Heard[] = [];
  client.on('track', (track) => track.on('frame', (frame) => frames.push({ ...frame, track })));
  return { client, frames };
}

async function speaker(meeting: string, source: Voice): Promise<MeetingClient> {
  const client = await joinMeeting({ meeting, displayName: 'Speaker', receive: 'none', source });
  joined.push(client);
  await client.whenConnected();
  return client;
}

/** Waits until it is so. */
const until = (what: () => boolean, timeout = 10_000) => vi.waitUntil(what, { timeout, interval: 10 });

/** A meeting with all voices in it, the first of whom listens too, and one who only listens. */
async function largeMeeting() {
  const { meeting } = await createMeeting(server.url, {});
  const voices = tones.map((tone) => new Voice(tone));
  const quiet = await listener(meeting.url);
  const first = await listener(meeting.url, voices[0]);
  const others = await Promise.all(voices.slice(1).map((voice) => speaker(meeting.url, voice)));
  const ids = [first.client.self.id, ...others.map(({ self }) => self.id)];
  for (const { client } of [quiet, first]) {
    await until(() => client.tracks.length === 4 && client.tracks.every(({ slot }) => slot !== undefined));
    await until(() => client.tracks.every((track) => track.stats() !== undefined));
  }
  return { meeting, voices, quiet, first, others, ids };
}

const slotOf = (client: MeetingClient, id: string) =>
  client.audioSlots.find(({ participantId }) => participantId === id);

describe('twelve participants', () => {
  test('are heard from their first packet on, in four streams that go on without an offer', async () => {
    const { voices, quiet, first, ids } = await largeMeeting();
    const answers = vi.spyOn(SubscribeConnection.prototype, 'answer');
    const tracks = [...quiet.client.tracks];
    const latencies: number[] = [];
    // Two rounds in which everybody talks for a while, one after the other, the next before the last has ended.
    const order = Array.from({ length: VOICES * 2 }, (_, i) => i % VOICES);
    for (const [turn, index] of order.entries()) {
      const before = quiet.frames.length;
      const began = performance.now();
      voices[index]!.talk(30 + (index % 3));
      await until(() => slotOf(quiet.client, ids[index]!) !== undefined);
      const { slot } = slotOf(quiet.client, ids[index]!)!;
      await until(() =>
        quiet.frames.slice(before).some(({ track, data }) => track.slot === slot && data.length > 1),
      );
      latencies.push(performance.now() - began);
      await delay(600);
      voices[order[turn - 1] ?? index]!.hush();
    }
    for (const voice of voices) voice.hush();
    await delay(200);

    // Both receivers have been answering nothing.
    expect(answers).not.toHaveBeenCalled();
    expect(quiet.client.tracks).toEqual(tracks);
    for (const track of tracks) {
      const frames = quiet.frames.filter((frame) => frame.track === track);
      expect(frames.some(({ gapBefore }) => gapBefore)).toBe(false);
      expect(track.stats()!.lost).toBe(0);
      const steps = frames
        .slice(1)
        .map(({ rtpTimestamp }, i) => (rtpTimestamp - frames[i]!.rtpTimestamp) | 0);
      expect(Math.min(...steps)).toBeGreaterThan(0);
      // The stream's clock is the time that passed: at most the scatter of a busy machine off it, after all changes.
      const took = frames.at(-1)!.receivedAtMs - frames[0]!.receivedAtMs;
      expect(Math.abs(frames.at(-1)!.mediaTimeMs - frames[0]!.mediaTimeMs - took)).toBeLessThan(200);
    }
    const heard = new Set<number>();
    for (const track of tracks) {
      for (const { voice } of await listenTo(
        quiet.frames.filter((frame) => frame.track === track),
        VOICES,
      )) {
        if (voice !== undefined) heard.add(voice);
      }
    }
    expect([...heard].sort((a, b) => a - b)).toEqual(voices.map((_, index) => index));
    // The first participant heard everybody but himself.
    const own = new Set<number>();
    for (const track of first.client.tracks) {
      for (const { voice } of await listenTo(
        first.frames.filter((frame) => frame.track === track),
        VOICES,
      )) {
        if (voice !== undefined) own.add(voice);
      }
    }
    expect([...own].sort((a, b) => a - b)).toEqual(voices.map((_, index) => index).slice(1));
    latencies.sort((a, b) => a - b);
    console.log('heard after ms:', latencies.map(Math.round).join(' '));
    expect(latencies[Math.floor(latencies.length / 2)]).toBeLessThan(200);
  }, 90_000);
});
