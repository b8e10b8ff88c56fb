import type { ProducerStat } from 'mediasoup/types';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Room, Sfu } from '../../../../src/server/sfu/index.ts';
import type { SfuPeer } from '../../../../src/server/sfu/peer.ts';
import { SLEEP_AFTER_MS, TrackMeter } from '../../../../src/server/sfu/quality/track-meter.ts';
import { startSfu } from '../harness.ts';
import { MID_EXT, offer, RID_EXTS, RIDS, section, VP9 } from '../offers.ts';

let sfu: Sfu;
let room: Room;
let nowMs = 0;

beforeAll(async () => {
  sfu = await startSfu();
  room = await sfu.createRoom('meters');
});
afterAll(() => sfu.close());
beforeEach(() => {
  nowMs = performance.now();
});

const SIMULCAST = section({ kind: 'video', lines: [MID_EXT, ...RID_EXTS, ...RIDS] });
const SCALABLE = section({ kind: 'video', codecs: VP9, lines: [MID_EXT, 'a=ssrc:3 cname:alice'] });
let peers = 0;

async function meterOf(text: string, layers?: { height: number; bitrate: number }[]): Promise<TrackMeter> {
  const peer = room.addPeer(`peer ${peers++}`) as SfuPeer;
  const tracks = [{ mid: '0', source: 'camera' as const, ...(layers ? { layers } : {}) }];
  await peer.publish({ sdp: offer([text]), tracks });
  return new TrackMeter(peer.published[0]!, nowMs);
}

const stat = (rid: string, bitrateByLayer: Record<string, number>): ProducerStat =>
  ({ rid, bitrate: Math.max(...Object.values(bitrateByLayer)), bitrateByLayer }) as never;

describe('layers', () => {
  test('as described, else as usual', async () => {
    const heights = (meter: TrackMeter) => meter.layers(nowMs).map(({ height }) => height);
    expect(heights(await meterOf(SIMULCAST))).toEqual([180, 360, 720]);
    const described = [120, 240, 480].map((height) => ({ height, bitrate: height * 1_000 }));
    expect(heights(await meterOf(SIMULCAST, described))).toEqual([120, 240, 480]);
    expect(heights(await meterOf(SIMULCAST, described.slice(1)))).toEqual([180, 360, 720]);
    expect(heights(await meterOf(SCALABLE))).toEqual([180, 360, 720]);
    expect(heights(await meterOf(SCALABLE, described.slice(2)))).toEqual([480]);
    expect(heights(await meterOf(section({ kind: 'video', lines: [MID_EXT, 'a=ssrc:3 cname:a'] })))).toEqual([
      720,
    ]);
  });

  test('cost what they are measured at, without following every change', async () => {
    const meter = await meterOf(SIMULCAST);
    const before = meter.layers(nowMs);
    meter.measure([stat('r1', { '0.0': 260_000, '0.1': 400_000, '0.2': 650_000 })]);
    const [, middle] = meter.layers(nowMs);
    expect(middle!.bitrates.map(Math.round)).toEqual([240_000, 369_231, 600_000]);
    for (let i = 0; i < 20; i++) {
      meter.measure([stat('r1', { '0.0': 400_000, '0.1': 600_000, '0.2': 1_000_000 })]);
    }
    expect(meter.layers(nowMs)[1]!.bitrates.at(-1)).toBeGreaterThan(750_000);
    // A still picture may move again in the next second.
    for (let i = 0; i < 60; i++) meter.measure([stat('r1', { '0.0': 20_000 })]);
    expect(meter.layers(nowMs)[1]!.bitrates.at(-1)).toBeGreaterThanOrEqual(300_000);
    expect(meter.layers(nowMs)).not.toBe(before);
    expect(meter.layers(nowMs)).toBe(meter.layers(nowMs));
  });

  test('spatial layers of one stream are active while they are measured', async () => {
    const meter = await meterOf(SCALABLE);
    const byLayer = { '0.0': 50_000, '0.1': 80_000, '1.0': 150_000, '1.1': 200_000, '2.0': 0 };
    meter.measure([{ bitrate: 200_000, bitrateByLayer: byLayer } as never]);
    expect(meter.layers(nowMs).map(({ state }) => state)).toEqual(['active', 'active', 'asleep']);
  });

  test('simulcast layers that do not come are asleep, and missing when they are wanted for long', async () => {
    const meter = await meterOf(SIMULCAST);
    expect(meter.layers(nowMs).map(({ state }) => state)).toEqual(['active', 'active', 'active']);
    const later = nowMs + 4_000;
    expect(meter.layers(later).map(({ state }) => state)).toEqual(['asleep', 'asleep', 'asleep']);
    meter.want('bob', 0, later);
    expect(meter.layers(later + 10_000).map(({ state }) => state)).toEqual(['missing', 'asleep', 'asleep']);
  });
});

describe('wants', () => {
  test('all layers up to the highest that somebody wants, more at once and less later', async () => {
    const meter = await meterOf(SIMULCAST);
    expect(meter.takeWanted(nowMs)).toBeUndefined();
    expect(meter.want('bob', 0, nowMs)).toBe(false);
    expect(meter.want('carol', 1, nowMs)).toBe(false);
    expect(meter.takeWanted(nowMs + SLEEP_AFTER_MS - 1)).toBeUndefined();
    expect(meter.takeWanted(nowMs + SLEEP_AFTER_MS)).toEqual([0, 1]);
    expect(meter.told).toEqual([0, 1]);
    expect(meter.takeWanted(nowMs + SLEEP_AFTER_MS)).toBeUndefined();
    expect(meter.want('bob', 2, nowMs)).toBe(true);
    expect(meter.takeWanted(nowMs + SLEEP_AFTER_MS + 1)).toEqual([0, 1, 2]);
    expect(meter.told).toBeUndefined();
    meter.want('bob', undefined, nowMs);
    meter.want('carol', undefined, nowMs);
    expect(meter.wanted).toBe(false);
    expect(meter.takeWanted(nowMs + 3 * SLEEP_AFTER_MS)).toEqual([]);
  });
});
