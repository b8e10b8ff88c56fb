import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  allocate,
  audioProtection,
  HIGH_BITRATE,
  HOLD_MS,
  MEDIUM_BITRATE,
  VIDEO_MIN_BITRATE,
} from '../../../../src/server/sfu/quality/policy.ts';
import { Selection } from '../../../../src/server/sfu/quality/selection.ts';
import type {
  Decision,
  LayerInput,
  PolicyInput,
  VideoInput,
} from '../../../../src/server/sfu/quality/types.ts';

const TICK_MS = 200;
const AUDIO = 48_000;

/** Bits a second of the three layers of a camera, by temporal layer. */
const layers = (...temporal: number[]): LayerInput[] =>
  [
    [180, 150_000],
    [360, 600_000],
    [720, 1_500_000],
  ].map(([height, bitrate]) => ({
    height: height!,
    bitrates: temporal.map((share) => bitrate! * share),
    state: 'active',
  }));
const L1T1 = layers(1);
const L1T3 = layers(0.4, 0.6, 1);

const video = (trackId: string, more: Partial<VideoInput> = {}): VideoInput => ({
  trackId,
  source: 'camera',
  layers: L1T3,
  maxHeight: undefined,
  pinned: false,
  speakerRank: undefined,
  ...more,
});

/** A receiver on a simulated link, at a simulated time. */
class Receiver {
  readonly policy = new Selection();
  readonly log: { atMs: number; layers: string; bitrate: number }[] = [];
  nowMs = 1_000_000;
  videos: VideoInput[];
  loss = 0;
  last!: Decision;

  constructor(videos: VideoInput[]) {
    this.videos = videos;
  }

  tick(estimate: number, more: Partial<PolicyInput> = {}): Decision {
    this.nowMs += TICK_MS;
    const input = { nowMs: this.nowMs, estimate, loss: this.loss, audioBitrate: AUDIO, videos: this.videos };
    this.last = this.policy.update({ ...input, ...more });
    const sent = this.last.videos.map(({ layer, temporalLayer }) => `${layer}.${temporalLayer}`).join(' ');
    if (this.log.at(-1)?.layers !== sent) {
      this.log.push({ atMs: this.nowMs, layers: sent, bitrate: this.last.bitrate });
    }
    return this.last;
  }

  run(durationMs: number, estimate: number | (() => number)): Decision {
    for (const end = this.nowMs + durationMs; this.nowMs < end; ) {
      this.tick(typeof estimate === 'number' ? estimate : estimate());
    }
    return this.last;
  }

  get layer(): number {
    return this.last.videos[0]!.layer;
  }

  get temporal(): number {
    return this.last.videos[0]!.temporalLayer;
  }

  /** How long from now until the predicate holds at this estimate. */
  until(estimate: number, holds: () => boolean): number {
    const start = this.nowMs;
    while (this.nowMs - start < 120_000) {
      this.tick(estimate);
      if (holds()) return this.nowMs - start;
    }
    throw new Error('never');
  }
}

/** The same numbers for the same seed, from −1 to 1. */
function noise(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

describe('one video', () => {
  test.each([
    [5_000_000, 2],
    [2_100_000, 2],
    [1_900_000, 1],
    [1_000_000, 1],
    [660_000, 1],
    [550_000, 0],
    [300_000, 0],
    [210_000, 0],
    [180_000, -1],
    [150_000, -1],
  ])('at %i bit/s layer %i', (estimate, layer) => {
    for (const start of [50_000, 5_000_000]) {
      for (const of of [L1T1, L1T3]) {
        const receiver = new Receiver([video('v', { layers: of })]);
        receiver.run(3_000, start);
        receiver.run(60_000, estimate);
        expect(receiver.layer).toBe(layer);
        expect(receiver.last.audioOnly).toBe(layer < 0);
      }
    }
  });

  test('with temporal layers the frame rate goes before the resolution', () => {
    const receiver = new Receiver([video('v')]);
    receiver.run(30_000, 700_000);
    expect([receiver.layer, receiver.temporal]).toEqual([1, 2]);
    receiver.run(30_000, 600_000);
    expect([receiver.layer, receiver.temporal]).toEqual([1, 1]);
    receiver.run(30_000, 540_000);
    expect([receiver.layer, receiver.temporal]).toEqual([0, 2]);
  });

  test('down within a second, whatever was before', () => {
    for (const [estimate, layer] of [
      [1_000_000, 1],
      [300_000, 0],
      [150_000, -1],
    ] as const) {
      const receiver = new Receiver([video('v')]);
      receiver.run(20_000, 5_000_000);
      expect(receiver.until(estimate, () => receiver.layer === layer)).toBeLessThanOrEqual(400);
      // Again right after a switch up.
      receiver.until(5_000_000, () => receiver.layer > layer);
      expect(receiver.until(estimate, () => receiver.layer === layer)).toBeLessThanOrEqual(400);
    }
  });

  test('an estimate that keeps falling counts at once', () => {
    const receiver = new Receiver([video('v')]);
    receiver.run(10_000, 3_000_000);
    receiver.tick(2_500_000);
    receiver.tick(2_120_000);
    expect(receiver.layer).toBe(2);
    receiver.tick(1_800_000);
    expect(receiver.layer).toBe(1);
  });

  test('the least video is kept while all of it arrives, though the estimate has followed it down', () => {
    const receiver = new Receiver([video('v')]);
    receiver.run(10_000, 300_000);
    expect(receiver.layer).toBe(0);
    receiver.run(5_000, 175_000);
    expect(receiver.layer).toBe(0);
    // Back before long, it was nothing; else the link is so narrow.
    receiver.run(10_000, 260_000);
    expect(receiver.layer).toBe(0);
    expect(receiver.until(175_000, () => receiver.layer < 0)).toBeGreaterThan(5_000);
  });

  test.each([
    ['what arrives is far less', 140_000, 0],
    ['packets are lost', 175_000, 0.08],
  ])('the least video goes at once where %s', (_, estimate, loss) => {
    const receiver = new Receiver([video('v')]);
    receiver.run(10_000, 300_000);
    receiver.loss = loss;
    expect(receiver.until(estimate, () => receiver.layer < 0)).toBeLessThanOrEqual(400);
  });

  test('loss of before a switch down does not take the least video as well', () => {
    const receiver = new Receiver([video('v')]);
    receiver.run(10_000, 1_000_000);
    receiver.loss = 0.3;
    receiver.run(500, 300_000);
    expect(receiver.layer).toBe(0);
    for (const loss of [0.4, 0.3, 0.2, 0.1, 0.04, 0.04, 0.04]) {
      receiver.loss = loss;
      receiver.run(500, 175_000);
    }
    expect(receiver.layer).toBe(0);
  });

  test('up after five seconds of enough, and not within five seconds of any switch', () => {
    const receiver = new Receiver([video('v')]);
    receiver.run(10_000, 5_000_000);
    receiver.run(1_000, 150_000);
    expect(receiver.layer).toBe(-1);
    const back = receiver.until(5_000_000, () => receiver.layer >= 0);
    expect(back).toBeGreaterThanOrEqual(HOLD_MS);
    expect(back).toBeLessThanOrEqual(HOLD_MS + 2 * TICK_MS);
    // Four seconds, a dip, and the wait starts anew.
    const second = new Receiver([video('v')]);
    second.run(5_000, 300_000);
    second.run(4_800, 3_000_000);
    second.tick(300_000);
    second.run(4_800, 3_000_000);
    expect(second.layer).toBeLessThan(2);
    second.run(1_000, 3_000_000);
    expect(second.layer).toBe(2);
    for (const each of [receiver, second]) {
      for (const [index, { atMs, bitrate }] of each.log.entries()) {
        const previous = each.log[index - 1];
        if (previous && bitrate > previous.bitrate)
          expect(atMs - previous.atMs).toBeGreaterThanOrEqual(HOLD_MS);
      }
    }
  });

  test('the first picture is what the first estimate allows', () => {
    expect(new Receiver([video('v')]).tick(3_000_000).videos[0]).toMatchObject({ layer: 2, reason: 'asked' });
  });

  test('a switch up that fails is tried more and more seldom, until there is much more', () => {
    const receiver = new Receiver([video('v', { layers: L1T1 })]);
    receiver.run(5_000, 1_000_000);
    // The link bears 360 lines; each time 720 are sent it gives way.
    for (const end = receiver.nowMs + 300_000; receiver.nowMs < end; ) {
      receiver.tick(receiver.layer === 2 ? 1_400_000 : 2_100_000);
    }
    expect(receiver.log.filter(({ layers: sent }) => sent.startsWith('2')).length).toBeLessThanOrEqual(8);
    receiver.run(1_000, 1_000_000);
    expect(receiver.until(4_000_000, () => receiver.layer === 2)).toBeLessThanOrEqual(HOLD_MS + 1_000);
  });
});

describe('what is asked for', () => {
  test('no layer that is higher than the tile, unless there is no lower one', () => {
    const asked = (maxHeight: number, more: Partial<VideoInput> = {}) =>
      new Receiver([video('v', { maxHeight, ...more })]).tick(5_000_000).videos[0];
    expect(asked(720)).toMatchObject({ layer: 2, temporalLayer: 2, reason: 'asked' });
    expect(asked(719)).toMatchObject({ layer: 1, temporalLayer: 2, reason: 'asked' });
    expect(asked(180)).toMatchObject({ layer: 0, temporalLayer: 2, reason: 'asked' });
    expect(asked(179)).toMatchObject({ layer: 0, temporalLayer: 0, reason: 'asked' });
    expect(asked(360, { layers: L1T3.slice(2) })).toMatchObject({ layer: 0 });
  });

  test('a page of 25 thumbnails costs what its lowest layers cost', () => {
    const page = Array.from({ length: 25 }, (_, index) => video(`v${index}`, { maxHeight: 144 }));
    const { videos, bitrate } = new Receiver(page).tick(3_000_000);
    expect(videos.every(({ layer, temporalLayer }) => layer === 0 && temporalLayer === 0)).toBe(true);
    expect(bitrate).toBeLessThanOrEqual(25 * 100_000);
  });

  test('another page and a pin are served at once, within what is granted', () => {
    const receiver = new Receiver([video('a', { maxHeight: 144 }), video('b')]);
    receiver.run(10_000, 1_000_000);
    receiver.videos = [video('a', { pinned: true }), video('b', { maxHeight: 144 })];
    expect(receiver.tick(1_000_000).videos).toMatchObject([{ layer: 1 }, { layer: 0, temporalLayer: 0 }]);
    receiver.videos = [video('c')];
    expect(receiver.tick(1_000_000).videos).toMatchObject([{ layer: 1 }]);
  });

  test('a bandwidth that fell while nothing needed it is known', () => {
    const receiver = new Receiver([video('a', { maxHeight: 144 })]);
    receiver.run(10_000, 5_000_000);
    receiver.run(2_000, 800_000);
    receiver.videos = [video('a')];
    expect(receiver.tick(800_000).videos).toMatchObject([{ layer: 1 }]);
  });

  test('screens, the pinned, the active speaker and the rest, in this order', () => {
    const rest = video('rest');
    const screen = video('screen', { source: 'screen' });
    const pinned = video('pinned', { pinned: true });
    const speaker = video('speaker', { speakerRank: 0 });
    const sent = (estimate: number) =>
      Object.fromEntries(
        new Receiver([rest, speaker, pinned, screen])
          .tick(estimate)
          .videos.map(({ trackId, layer }) => [trackId, layer]),
      );
    expect(sent(2_500_000)).toEqual({ screen: 2, pinned: 1, speaker: 0, rest: 0 });
    expect(sent(1_500_000)).toEqual({ screen: 1, pinned: 1, speaker: 0, rest: 0 });
    expect(sent(330_000)).toEqual({ screen: 0, pinned: 0, speaker: 0, rest: -1 });
    expect(sent(230_000)).toEqual({ screen: 0, pinned: 0, speaker: -1, rest: -1 });
    expect(sent(190_000)).toEqual({ screen: -1, pinned: -1, speaker: -1, rest: -1 });
  });

  test('equals are raised in turns', () => {
    const { videos } = new Receiver(['a', 'b', 'c'].map((id) => video(id))).tick(2_100_000);
    expect(videos.map(({ layer }) => layer)).toEqual([1, 1, 1]);
  });
});

describe('layers of the sender', () => {
  const withTop = (state: LayerInput['state']) =>
    L1T3.map((layer, index) => (index === 2 ? { ...layer, state } : layer));

  test('a sleeping layer is woken first and sent then', () => {
    const receiver = new Receiver([video('v', { layers: withTop('asleep') })]);
    expect(receiver.tick(5_000_000).videos[0]).toMatchObject({ layer: 1, reason: 'sender', wanted: 2 });
    receiver.videos = [video('v')];
    expect(receiver.tick(5_000_000).videos[0]).toMatchObject({ layer: 2, reason: 'asked', wanted: 2 });
  });

  test('it is woken while the hysteresis runs, so that it is there in time', () => {
    const receiver = new Receiver([video('v', { layers: withTop('asleep') })]);
    receiver.run(10_000, 1_000_000);
    expect(receiver.last.videos[0]).toMatchObject({ layer: 1, wanted: 1 });
    receiver.run(1_000, 3_000_000);
    expect(receiver.last.videos[0]).toMatchObject({ layer: 1, wanted: 2 });
  });

  test('one that does not come leaves its bandwidth to others', () => {
    const receiver = new Receiver([video('a', { layers: withTop('missing'), pinned: true }), video('b')]);
    expect(receiver.tick(2_700_000).videos).toMatchObject([
      { layer: 1, reason: 'sender' },
      { layer: 2, reason: 'asked' },
    ]);
  });
});

describe('loss', () => {
  test('under 10 % changes nothing', () => {
    const receiver = new Receiver([video('v')]);
    receiver.loss = 0.09;
    receiver.run(60_000, 2_100_000);
    expect(receiver.log).toHaveLength(1);
    expect(receiver.layer).toBe(2);
  });

  test('from 10 % four fifths of the budget choose', () => {
    const receiver = new Receiver([video('v')]);
    receiver.run(10_000, 2_200_000);
    receiver.loss = 0.15;
    receiver.run(10_000, 2_200_000);
    expect(receiver.last.videos[0]).toMatchObject({ layer: 1, reason: 'loss' });
    receiver.run(30_000, 2_800_000);
    expect(receiver.last.videos[0]).toMatchObject({ layer: 2, reason: 'asked' });
    receiver.run(30_000, 2_200_000);
    receiver.loss = 0;
    expect(receiver.until(2_200_000, () => receiver.layer === 2)).toBeGreaterThanOrEqual(HOLD_MS);
  });

  test('above 20 % a layer after the other, then audio only, and back', () => {
    const receiver = new Receiver([video('v')]);
    receiver.run(10_000, 5_000_000);
    receiver.loss = 0.25;
    receiver.run(2_000, 5_000_000);
    expect(receiver.layer).toBe(1);
    receiver.run(30_000, 5_000_000);
    expect(receiver.log.map(({ layers: sent }) => sent)).toEqual(['2.2', '1.2', '0.2', '-1.-1']);
    expect(receiver.last).toMatchObject({ audioOnly: true, videos: [{ reason: 'loss' }] });
    receiver.loss = 0.02;
    const back = receiver.until(5_000_000, () => receiver.layer >= 0);
    expect(back).toBeGreaterThanOrEqual(HOLD_MS);
    expect(back).toBeLessThanOrEqual(HOLD_MS + 1_000);
    receiver.run(30_000, 5_000_000);
    expect(receiver.layer).toBe(2);
  });

  test('that is over gives back only what is proven', () => {
    const receiver = new Receiver([video('v')]);
    receiver.run(10_000, 1_000_000);
    receiver.loss = 0.3;
    receiver.run(2_000, 1_000_000);
    expect(receiver.layer).toBe(0);
    receiver.loss = 0;
    let asked: number | undefined;
    receiver.until(1_000_000, () => {
      asked = receiver.last.prove ?? asked;
      return receiver.layer === 1;
    });
    expect(asked).toBeGreaterThan(0);
  });

  test('that begins with a full link takes a layer at once, before the estimate falls', () => {
    const receiver = new Receiver([video('v')]);
    receiver.run(10_000, 5_000_000);
    for (const loss of [0.05, 0.1, 0.15]) {
      receiver.loss = loss;
      receiver.tick(5_000_000);
    }
    expect(receiver.layer).toBe(1);
    receiver.run(3_000, 900_000);
    expect(receiver.layer).toBe(1);
  });

  test('that begins while the estimate falls needs to be no more than ten percent', () => {
    const receiver = new Receiver([video('v')]);
    receiver.run(10_000, 3_300_000);
    receiver.tick(2_700_000);
    expect(receiver.layer).toBe(2);
    receiver.loss = 0.1;
    receiver.tick(2_300_000);
    expect(receiver.layer).toBe(1);
  });

  test('a burst of it while the link becomes narrower costs no layer', () => {
    const receiver = new Receiver([video('v')]);
    receiver.run(10_000, 5_000_000);
    receiver.loss = 0.4;
    receiver.run(2_000, 1_000_000);
    expect(receiver.layer).toBe(1);
    receiver.loss = 0;
    receiver.run(2_000, 1_000_000);
    expect(receiver.layer).toBe(1);
  });

  test('Opus is protected from 5 % on, with hysteresis', () => {
    expect(audioProtection(0.04, 0)).toBe(0);
    expect(audioProtection(0.05, 0)).toBe(5);
    expect(audioProtection(0.07, 5)).toBe(10);
    expect(audioProtection(0.08, 10)).toBe(10);
    expect(audioProtection(0.04, 10)).toBe(10);
    expect(audioProtection(0.02, 10)).toBe(0);
    expect(audioProtection(0.9, 10)).toBe(30);
  });
});

describe('properties', () => {
  const anyVideo = fc
    .record({
      kind: fc.constantFrom('camera' as const, 'camera' as const, 'screen' as const),
      maxHeight: fc.constantFrom(undefined, 100, 180, 360, 720),
      pinned: fc.boolean(),
      speakerRank: fc.constantFrom(undefined, undefined, 0, 1),
      of: fc.constantFrom(L1T1, L1T3, L1T3.slice(0, 2), L1T1.slice(2)),
    })
    .map(({ kind, of, ...rest }) => ({ ...rest, source: kind, layers: of }));
  const anyVideos = fc
    .array(anyVideo, { minLength: 1, maxLength: 30 })
    .map((all) => all.map((each, index) => video(`v${index}`, each)));
  const bandwidth = fc.integer({ min: 50_000, max: 5_000_000 });

  test('no bandwidth that stays the same makes it oscillate', () => {
    fc.assert(
      fc.property(bandwidth, bandwidth, anyVideos, fc.integer(), (link, before, videos, seed) => {
        const receiver = new Receiver(videos);
        const next = noise(seed);
        receiver.run(3_000, before);
        receiver.run(30_000, () => link * (1 + 0.05 * next()));
        const settled = receiver.log.length;
        receiver.run(60_000, () => link * (1 + 0.05 * next()));
        // Where a border is within the noise the step over it may come late, but once and never back.
        expect(receiver.log.length - settled).toBeLessThanOrEqual(1);
        expect(new Set(receiver.log.slice(settled - 1).map(({ layers: sent }) => sent)).size).toBe(
          receiver.log.length - settled + 1,
        );
      }),
      { numRuns: 300 },
    );
  });

  test('one video gets what the thresholds say, whatever the noise', () => {
    fc.assert(
      fc.property(bandwidth, bandwidth, fc.integer(), (link, before, seed) => {
        const receiver = new Receiver([video('v')]);
        const next = noise(seed);
        receiver.run(3_000, before);
        receiver.run(40_000, () => link * (1 + 0.05 * next()));
        const switches = receiver.log.length;
        receiver.run(60_000, () => link * (1 + 0.05 * next()));
        const thresholds = [VIDEO_MIN_BITRATE, MEDIUM_BITRATE, HIGH_BITRATE];
        // At a threshold, hysteresis decides.
        fc.pre(thresholds.every((each) => Math.abs(link / each - 1) > 0.12));
        expect(receiver.layer).toBe(thresholds.filter((each) => link >= each).length - 1);
        expect(receiver.log.slice(switches).map(({ layers: sent }) => sent[0])).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test('nothing is sent that does not fit, but the lowest layer of the most important video', () => {
    fc.assert(
      fc.property(fc.array(bandwidth, { minLength: 1, maxLength: 8 }), anyVideos, (links, videos) => {
        const receiver = new Receiver(videos);
        for (const link of links) {
          receiver.run(7_000, link);
          const sent = receiver.last.videos.filter(({ layer }) => layer >= 0);
          expect(receiver.last.bitrate + (sent.length > 1 ? AUDIO : 0)).toBeLessThanOrEqual(link / 0.93);
          for (const { trackId, layer } of sent) {
            const { maxHeight = Number.POSITIVE_INFINITY, layers: published } = videos.find(
              (each) => each.trackId === trackId,
            )!;
            if (layer > 0) expect(published[layer]!.height).toBeLessThanOrEqual(maxHeight);
          }
        }
      }),
    );
  });

  test('more bandwidth is never worse for the most important video', () => {
    fc.assert(
      fc.property(bandwidth, bandwidth, anyVideo, (one, other, spec) => {
        const rate = (estimate: number) => allocate(estimate, AUDIO, [video('v', spec)]).get('v')?.cost ?? 0;
        expect(rate(Math.min(one, other))).toBeLessThanOrEqual(rate(Math.max(one, other)));
      }),
    );
  });

  test('in any weather: down within a second, up never within five of a switch', () => {
    const weather = fc.array(
      fc.record({ link: bandwidth, ms: fc.integer({ min: 200, max: 12_000 }), loss: fc.nat(30) }),
      { minLength: 1, maxLength: 20 },
    );
    fc.assert(
      fc.property(weather, (steps) => {
        const receiver = new Receiver([video('v')]);
        for (const { link, ms, loss } of steps) {
          receiver.loss = loss / 100;
          const start = receiver.nowMs;
          while (receiver.nowMs - start < ms) {
            receiver.tick(link);
            if (receiver.nowMs - start >= 1_000)
              expect(receiver.last.bitrate).toBeLessThanOrEqual(link / 0.93);
          }
        }
        for (const [index, { atMs, bitrate }] of receiver.log.entries()) {
          const previous = receiver.log[index - 1];
          if (previous && bitrate > previous.bitrate)
            expect(atMs - previous.atMs).toBeGreaterThanOrEqual(HOLD_MS);
        }
      }),
    );
  });
});
