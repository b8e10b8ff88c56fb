import fc from 'fast-check';
import { Application, createEncoder } from 'libopus-wasm';
import { afterEach, describe, expect, test } from 'vitest';
import { type DecodedAudio, hasFec, OpusTrackDecoder } from '../../../src/media/opus/index.ts';

const SAMPLES = 960;
const open: OpusTrackDecoder[] = [];
afterEach(() => {
  for (const decoder of open.splice(0)) decoder.close();
});

/** Something like speech: a gliding voice with syllables, so that no moment can be guessed from the one before. */
function speech(packets: number): Int16Array[] {
  let phase = 0;
  return Array.from({ length: packets }, (_, packet) =>
    Int16Array.from({ length: SAMPLES }, (_, i) => {
      const t = (packet * SAMPLES + i) / 48_000;
      phase += (2 * Math.PI * (140 + 60 * Math.sin(2 * Math.PI * 1.7 * t))) / 48_000;
      const syllable = 0.5 + 0.5 * Math.sin(2 * Math.PI * 4 * t) ** 2;
      const voice = [1, 2, 3, 4, 5, 6].reduce((sum, k) => sum + Math.sin(k * phase) / k, 0);
      return 6_000 * syllable * voice;
    }),
  );
}

async function encode(packets: number, fec: boolean): Promise<Uint8Array[]> {
  const encoder = await createEncoder({
    channels: 1,
    application: Application.Voip,
    bitrate: 32_000,
    fec,
    packetLossPercent: fec ? 15 : 0,
  });
  const encoded = speech(packets).map((pcm) => encoder.encode(pcm));
  encoder.free();
  return encoded;
}

/** Packets that the one after them carries once more; encoders repeat only what they take for voice. */
const repeated = (packets: readonly Uint8Array[]): number[] =>
  packets.flatMap((_, i) => (i > 10 && i + 1 < packets.length && hasFec(packets[i + 1]!) ? [i] : []));

async function decoder(): Promise<OpusTrackDecoder> {
  const made = await OpusTrackDecoder.create(1);
  open.push(made);
  return made;
}

/** Decodes what is left of the packets when some are lost. */
async function decodeWithout(packets: readonly Uint8Array[], lost: ReadonlySet<number>, first = 1_000) {
  const track = await decoder();
  let gapBefore = false;
  const given: DecodedAudio[] = [];
  packets.forEach((data, i) => {
    if (lost.has(i)) {
      gapBefore = true;
      return;
    }
    given.push(...track.decode({ data, rtpTimestamp: (first + i * SAMPLES) % 2 ** 32, gapBefore }));
    gapBefore = false;
  });
  return { given, stats: track.stats() };
}

const samplesOf = (given: readonly DecodedAudio[]) => Int16Array.from(given.flatMap(({ pcm }) => [...pcm]));

/** Signal to noise of a piece against how it sounds without loss, dB. */
function likeness(piece: Int16Array, whole: Int16Array): number {
  let signal = 0;
  let noise = 1;
  piece.forEach((sample, i) => {
    signal += whole[i]! ** 2;
    noise += (sample - whole[i]!) ** 2;
  });
  return 10 * Math.log10(signal / noise);
}

describe('a lost packet', () => {
  test('is recovered from the FEC of the next one, much nearer to the sound than what is made up', async () => {
    const results: Record<string, number> = {};
    const protectedPackets = await encode(100, true);
    const lost = new Set(repeated(protectedPackets).filter((_, at) => at % 3 === 0));
    expect(lost.size).toBeGreaterThan(5);
    for (const fec of [true, false]) {
      const packets = fec ? protectedPackets : await encode(100, false);
      const whole = samplesOf((await decodeWithout(packets, new Set())).given);
      const { given, stats } = await decodeWithout(packets, lost);
      expect(stats).toEqual({
        decodedMs: (100 - lost.size) * 20,
        recoveredMs: fec ? lost.size * 20 : 0,
        concealedMs: fec ? 0 : lost.size * 20,
      });
      const sound = samplesOf(given);
      expect(sound.length).toBe(whole.length);
      const pieces = [...lost].map((i) =>
        likeness(
          sound.subarray(i * SAMPLES, (i + 1) * SAMPLES),
          whole.subarray(i * SAMPLES, (i + 1) * SAMPLES),
        ),
      );
      results[fec ? 'fec' : 'concealment'] = pieces.reduce((sum, db) => sum + db, 0) / pieces.length;
    }
    expect(results.fec! - results.concealment!).toBeGreaterThan(3);
  });

  test('of three in a row, two are made up and the last is recovered', async () => {
    const packets = await encode(40, true);
    const last = repeated(packets).at(-1)!;
    const { given, stats } = await decodeWithout(packets, new Set([last - 2, last - 1, last]));
    expect(stats).toMatchObject({ recoveredMs: 20, concealedMs: 40 });
    expect(given.slice(last - 2, last + 2).map(({ origin }) => origin)).toEqual([
      'concealment',
      'concealment',
      'fec',
      'packet',
    ]);
  });
});

test('timestamps follow on without gaps, also over their wrap', async () => {
  const packets = await encode(30, true);
  const { given } = await decodeWithout(packets, new Set([5, 6, 17]), 2 ** 32 - 10 * SAMPLES);
  given.reduce((next, { rtpTimestamp, pcm }) => {
    expect(rtpTimestamp).toBe(next);
    return (rtpTimestamp + pcm.length) % 2 ** 32;
  }, given[0]!.rtpTimestamp);
});

test('a pause of the sender is filled and not counted as loss', async () => {
  const packets = await encode(10, false);
  const track = await decoder();
  track.decode({ data: packets[0]!, rtpTimestamp: 0, gapBefore: false });
  const given = track.decode({ data: packets[1]!, rtpTimestamp: 21 * SAMPLES, gapBefore: false });
  expect(given.reduce((sum, { pcm }) => sum + pcm.length, 0)).toBe(21 * SAMPLES);
  expect(track.stats()).toMatchObject({ concealedMs: 0, recoveredMs: 0 });
});

test('a late packet is passed over, a stream that begins anew is followed', async () => {
  const packets = await encode(4, false);
  const track = await decoder();
  track.decode({ data: packets[0]!, rtpTimestamp: 10 * SAMPLES, gapBefore: false });
  expect(track.decode({ data: packets[1]!, rtpTimestamp: 9 * SAMPLES, gapBefore: false })).toEqual([]);
  const far = track.decode({ data: packets[2]!, rtpTimestamp: 5_000_000, gapBefore: true });
  expect(far.map(({ rtpTimestamp, origin }) => [rtpTimestamp, origin])).toEqual([[5_000_000, 'packet']]);
});

test('nothing that a stranger sends breaks the decoder', async () => {
  const track = await decoder();
  const [good] = await encode(1, true);
  let at = 0;
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      fc.boolean(),
      fc.boolean(),
      (data, rtpTimestamp, gapBefore, follows) => {
        hasFec(data);
        const given = track.decode({ data, rtpTimestamp: follows ? at : rtpTimestamp, gapBefore });
        for (const { pcm } of given) {
          at = (at + pcm.length) % 2 ** 32;
          expect(pcm.length).toBeLessThanOrEqual(5_760);
        }
      },
    ),
    { numRuns: 500 },
  );
  const given = track.decode({ data: good!, rtpTimestamp: 123_456_789, gapBefore: false });
  expect(given.at(-1)).toMatchObject({ origin: 'packet' });
});
