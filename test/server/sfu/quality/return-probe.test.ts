/** The way back from audio only. */
import { describe, expect, test } from 'vitest';
import { allocate, HOLD_MS, leastOf, VIDEO_MIN_BITRATE } from '../../../../src/server/sfu/quality/policy.ts';
import { ReturnProbe, WAIT_CEILING } from '../../../../src/server/sfu/quality/return-probe.ts';
import type { VideoInput } from '../../../../src/server/sfu/quality/types.ts';

const AUDIO = 40_000;

const oneLayer = (bitrate: number): VideoInput => ({
  trackId: 'v',
  source: 'camera',
  layers: [{ height: 720, bitrates: [bitrate], state: 'active' }],
  maxHeight: undefined,
  pinned: false,
  speakerRank: undefined,
});

/** What the policy is told after the first probe found this bandwidth. */
function afterProbe(measured: number, least: number) {
  const probe = new ReturnProbe();
  probe.begin(0);
  expect(probe.ceilings).toEqual([WAIT_CEILING]);
  expect(probe.judge(HOLD_MS - 1, measured, least).proven).toBe(false);
  probe.judge(HOLD_MS, measured, least);
  expect(probe.ceilings?.length).toBeGreaterThan(1);
  return probe.judge(HOLD_MS + 1_000, measured, least);
}

describe('a probe while only audio is sent', () => {
  test('that finds room for the least of the videos brings it back', () => {
    const videos = [oneLayer(900_000)];
    const { estimate, proven } = afterProbe(2_600_000, leastOf(videos) + AUDIO);
    expect(proven).toBe(true);
    expect(allocate(estimate, AUDIO, videos).get('v')).toMatchObject({ layer: 0 });
  });

  test('that finds less than that brings nothing back', () => {
    const { estimate, proven } = afterProbe(800_000, leastOf([oneLayer(900_000)]) + AUDIO);
    expect(proven).toBe(false);
    expect(estimate).toBeLessThan(VIDEO_MIN_BITRATE);
  });

  test('brings a video back whose only layer is beyond what is probed for', () => {
    const videos = [oneLayer(4_000_000)];
    const { estimate, proven } = afterProbe(2_600_000, leastOf(videos) + AUDIO);
    expect(proven).toBe(true);
    expect(allocate(estimate, AUDIO, videos).has('v')).toBe(true);
  });

  test('that finds just enough for the smallest video does', () => {
    const { estimate, proven } = afterProbe(VIDEO_MIN_BITRATE * 1.2, 80_000);
    expect(proven).toBe(true);
    expect(estimate).toBeGreaterThan(VIDEO_MIN_BITRATE);
  });

  test('that moves nothing twice leaves it to the least video to find out', () => {
    const probe = new ReturnProbe();
    probe.begin(0);
    let nowMs = 0;
    while (!probe.judge(nowMs, 130_000, 190_000).proven) nowMs += 100;
    expect(nowMs).toBeGreaterThan(2 * HOLD_MS);
    expect(nowMs).toBeLessThan(3 * HOLD_MS);
  });

  test('that moves the estimate is believed, however often', () => {
    const probe = new ReturnProbe();
    probe.begin(0);
    for (let nowMs = 0; nowMs < 120_000; nowMs += 100) {
      const measured = (probe.ceilings?.length ?? 0) > 1 && nowMs % 300 === 0 ? 160_000 : 130_000;
      expect(probe.judge(nowMs, measured, 190_000).proven).toBe(false);
    }
  });
});
