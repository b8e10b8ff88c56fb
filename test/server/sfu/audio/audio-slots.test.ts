/** A meeting of twelve who have audio, over real connections: who hears whom, what it costs, and who speaks. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { createMeeting } from '../../../../src/client/api.ts';
import { joinMeeting } from '../../../../src/client/join.ts';
import type { MeetingClient } from '../../../../src/client/meeting.ts';
import type { RemoteTrack } from '../../../../src/client/peer/remote-track.ts';
import { SubscribeConnection } from '../../../../src/client/peer/subscribe-connection.ts';
import type { ReceivedFrame } from '../../../../src/client/types.ts';
import { TrackFile } from '../../../../src/media/save/index.ts';
import { KEEP_MS, SUSTAIN_MS } from '../../../../src/server/sfu/audio/speaker-detector.ts';
import { runFfmpeg } from '../../../support/barcode-ffmpeg.ts';
import { startTestServer, type TestServer } from '../../../support/server.ts';
import { encodeTones, listenTo, Voice } from './voices.ts';

const VOICES = 12;

interface Heard extends ReceivedFrame {
  readonly track: RemoteTrack;
}

/** Someone who receives; everything that comes is kept. */
interface Listener {
  readonly client: MeetingClient;
  readonly frames: Heard[];
}

let server: TestServer;
let tones: Buffer[][];
let voices: Voice[];
/** Has no microphone. */
let listener: Listener;
/** The first voice. */
let first: Listener;
/** Clients of the voices. */
let clients: MeetingClient[];
let ids: string[];

beforeAll(async () => {
  [server, tones] = await Promise.all([startTestServer(), encodeTones(VOICES)]);
  const { meeting } = await createMeeting(server.url, {});
  voices = tones.map((tone) => new Voice(tone));
  listener = await listen(meeting.url);
  first = await listen(meeting.url, voices[0]);
  const others = await Promise.all(voices.slice(1).map((voice) => speak(meeting.url, voice)));
  clients = [first.client, ...others];
  ids = clients.map(({ self }) => self.id);
  for (const { client } of [listener, first]) {
    await until(() => client.tracks.length === 4 && client.tracks.every(({ slot }) => slot !== undefined));
    await until(() => client.tracks.every((track) => track.stats() !== undefined));
  }
});
afterEach(() => {
  vi.restoreAllMocks();
  for (const voice of voices) voice.hush();
});
afterAll(async () => {
  await Promise.all([listener.client, ...clients].map((client) => client.leave()));
  await server.close();
});

async function listen(meeting: string, source?: Voice): Promise<Listener> {
  const client = await joinMeeting({
    meeting,
    displayName: 'Listener',
    receive: 'audio',
    ...(source ? { source } : {}),
  });
  const frames: Heard[] = [];
  client.on('track', (track) => track.on('frame', (frame) => frames.push({ ...frame, track })));
  return { client, frames };
}

async function speak(meeting: string, source: Voice): Promise<MeetingClient> {
  const client = await joinMeeting({ meeting, displayName: 'Speaker', receive: 'none', source });
  await client.whenConnected();
  return client;
}

/** Waits until it is so. */
const until = (what: () => boolean, timeout = 15_000) => vi.waitUntil(what, { timeout, interval: 10 });

const slotOf = (index: number) =>
  listener.client.audioSlots.find(({ participantId }) => participantId === ids[index]);

/** The sound of a voice comes out of its slot. */
async function heard(index: number): Promise<void> {
  const from = listener.frames.length;
  await until(() => slotOf(index) !== undefined);
  const { slot } = slotOf(index)!;
  await until(() =>
    listener.frames.slice(from).some(({ track, data }) => track.slot === slot && data.length > 1),
  );
}

const framesOf = ({ frames }: Listener, track: RemoteTrack) =>
  frames.filter((frame) => frame.track === track);

/** Voices that come out of all slots. */
async function voicesIn(each: Listener): Promise<number[]> {
  const found = new Set<number>();
  for (const track of each.client.tracks) {
    for (const { voice } of await listenTo(framesOf(each, track), VOICES)) {
      if (voice !== undefined) found.add(voice);
    }
  }
  return [...found].sort((a, b) => a - b);
}

/** What ffmpeg complains of in a track's sound. */
async function decodingErrors(each: Listener, track: RemoteTrack): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'meet-slot-'));
  try {
    const { id: trackId, source, codec } = track;
    const file = await TrackFile.open({ directory, participantName: 'slot', source, trackId, codec });
    for (const frame of framesOf(each, track)) file.write(frame);
    const { path } = await file.close();
    return (await runFfmpeg(['-v', 'warning', '-i', path!, '-f', 'null', '-'])).stderr;
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Far below a wrong clock's error, and above what a machine with much else to do adds to a capture time. */
const CLOCK_MS = 500;

describe('twelve participants', () => {
  test('are heard from their first packet on, in four streams that go on without an offer', async () => {
    const answers = vi.spyOn(SubscribeConnection.prototype, 'answer');
    const tracks = [...listener.client.tracks];
    const latencies: number[] = [];
    // Everybody talks, twice, each beginning before the one before him has ended.
    const order = Array.from({ length: VOICES * 2 }, (_, i) => i % VOICES);
    for (const [turn, index] of order.entries()) {
      const began = performance.now();
      voices[index]!.talk(30 + (index % 3));
      await heard(index);
      latencies.push(performance.now() - began);
      await delay(600);
      voices[order[turn - 1] ?? index]!.hush();
    }
    for (const voice of voices) voice.hush();
    await delay(200);

    expect(answers).not.toHaveBeenCalled();
    expect(listener.client.tracks).toEqual(tracks);
    for (const track of tracks) {
      const frames = framesOf(listener, track);
      expect(frames.some(({ gapBefore }) => gapBefore)).toBe(false);
      expect(track.stats()!.lost).toBe(0);
      const steps = frames
        .slice(1)
        .map(({ rtpTimestamp }, i) => (rtpTimestamp - frames[i]!.rtpTimestamp) | 0);
      expect(Math.min(...steps)).toBeGreaterThan(0);
      // Its clock is the time that passed, after all changes, but for the scatter of a busy machine.
      const took = frames.at(-1)!.receivedAtMs - frames[0]!.receivedAtMs;
      expect(Math.abs(frames.at(-1)!.mediaTimeMs - frames[0]!.mediaTimeMs - took)).toBeLessThan(200);
      expect(await decodingErrors(listener, track)).toBe('');
      // Decoded as one stream, each voice goes on without a hole from its first sound to its last.
      const sounds = await listenTo(frames, VOICES);
      const holes = sounds.slice(1).flatMap(({ voice, rtpTimestamp }, i) => {
        const before = sounds[i]!;
        return voice !== undefined && voice === before.voice
          ? [(rtpTimestamp - before.rtpTimestamp) | 0]
          : [];
      });
      expect(holes.length).toBeGreaterThan(20);
      expect(Math.max(...holes)).toBeLessThanOrEqual(60 * 48);
    }
    expect(await voicesIn(listener)).toEqual(voices.map((_, index) => index));
    // Nobody hears himself.
    expect(await voicesIn(first)).toEqual(voices.map((_, index) => index).slice(1));
    latencies.sort((a, b) => a - b);
    expect(latencies[Math.floor(latencies.length / 2)]).toBeLessThan(200);
  }, 60_000);

  test('two who share a turn hear each other and not themselves', async () => {
    first.frames.length = 0;
    voices[0]!.talk();
    voices[1]!.talk();
    await Promise.all([heard(0), heard(1)]);
    await delay(500);
    expect(await voicesIn(first)).toEqual([1]);
    expect(first.client.audioSlots.map(({ participantId }) => participantId)).toContain(ids[0]);
  });

  test('of five who talk, four are heard', async () => {
    for (const index of [1, 2, 3, 4]) voices[index]!.talk(30);
    await Promise.all([1, 2, 3, 4].map(heard));
    voices[5]!.talk(32);
    await delay(1_500);
    expect(slotOf(5)).toBeUndefined();
    // A pause of one lets him in, with his next packet.
    voices[2]!.hush();
    await heard(5);
    expect(slotOf(2)).toBeUndefined();
    expect([1, 3, 4].map((index) => slotOf(index) !== undefined)).toEqual([true, true, true]);
  });

  test('one who is muted is gone at once, and back when he is not', async () => {
    voices[3]!.talk();
    await heard(3);
    const { slot } = slotOf(3)!;
    await clients[3]!.setMuted('microphone', true);
    await until(() => slotOf(3) === undefined);
    const count = listener.frames.length;
    await delay(300);
    expect(listener.frames.slice(count).filter(({ track }) => track.slot === slot)).toEqual([]);
    await clients[3]!.setMuted('microphone', false);
    await heard(3);
  });

  test('the slot of a voice tells when its sound was captured', async () => {
    const began = Date.now();
    voices[9]!.talk();
    await heard(9);
    const { rtpTimestamp, capturedAt, trackId, slot } = slotOf(9)!;
    expect(trackId).toBe(clients[9]!.self.tracks[0]!.id);
    expect(capturedAt! - began).toBeGreaterThan(-CLOCK_MS);
    expect(capturedAt! - Date.now()).toBeLessThan(CLOCK_MS);
    const frame = listener.frames.find(
      (each) => each.track.slot === slot && each.rtpTimestamp === rtpTimestamp,
    )!;
    expect(Math.abs(frame.captureTimeMs! - capturedAt!)).toBeLessThan(CLOCK_MS);
  });
});

describe('the speakers', () => {
  test('are told to everybody, the active one first, after two seconds of talk', async () => {
    await until(() => clients.every(({ speakers }) => speakers.length === 0), KEEP_MS + 5_000);
    const speakersAre = (...expected: number[]) =>
      until(() =>
        [listener.client, ...clients].every(
          ({ speakers }) => speakers.join() === expected.map((i) => ids[i]).join(),
        ),
      );
    const began = performance.now();
    voices[6]!.talk(30);
    await speakersAre(6);
    expect(performance.now() - began).toBeGreaterThan(SUSTAIN_MS);
    voices[7]!.talk(33);
    await speakersAre(6, 7);
    voices[6]!.hush();
    await speakersAre(7, 6);
    await clients[7]!.setMuted('microphone', true);
    await speakersAre(6);
    await clients[7]!.setMuted('microphone', false);
    // Silence empties the list in the end.
    voices[7]!.hush();
    await speakersAre();
  }, 60_000);
});

describe('one who leaves', () => {
  test('frees his slot and his place among the speakers', async () => {
    voices[8]!.talk();
    await until(() => listener.client.speakers[0] === ids[8]);
    await clients[8]!.leave();
    await until(() => listener.client.speakers.length === 0 && slotOf(8) === undefined);
  });
});
