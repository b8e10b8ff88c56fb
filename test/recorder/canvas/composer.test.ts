/** Whole pictures, looked at where the layout says what must be there. */
import { describe, expect, test } from 'vitest';
import { Composer, STALLED_AFTER_MS } from '../../../src/recorder/canvas/composer.ts';
import { type I420Picture, i420Bytes } from '../../../src/recorder/canvas/picture.ts';
import { BACKGROUND, BARS, discOf, SPEAKING } from '../../../src/recorder/canvas/style.ts';
import { arrange } from '../../../src/recorder/layout/arrange.ts';
import type { Scene } from '../../../src/recorder/layout/types.ts';
import { people, person } from '../layout/scenes.ts';

const HD = { width: 1280, height: 720 };
const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

/** A picture of one colour. */
function plain(width: number, height: number, y: number, u = 90, v = 200): I420Picture {
  const data = new Uint8Array(i420Bytes(width, height)).fill(y, 0, width * height);
  const colour = (data.length - width * height) / 2;
  data.fill(u, width * height, width * height + colour).fill(v, width * height + colour);
  return { width, height, data };
}

const scene = (count: number, more: Partial<Scene> = {}): Scene => ({
  layout: 'gallery',
  people: people(count),
  speakers: [],
  ...more,
});

function pixel(picture: Uint8Array, x: number, y: number): { y: number; u: number; v: number } {
  const luma = HD.width * HD.height;
  const at = luma + (y >> 1) * (HD.width / 2) + (x >> 1);
  return { y: picture[y * HD.width + x]!, u: picture[at]!, v: picture[at + luma / 4]! };
}

/** Draws, looks and gives the picture back. */
function look<T>(composer: Composer, timeMs: number, see: (picture: Uint8Array) => T): T {
  const picture = composer.draw(timeMs);
  try {
    return see(picture);
  } finally {
    composer.release(picture);
  }
}

const copy = (picture: Uint8Array) => Buffer.from(picture);
const middle = ({ x, y, width, height }: { x: number; y: number; width: number; height: number }) =>
  [x + width / 2, y + height / 2] as const;

test('each track is in its tile, whatever the size of its pictures', () => {
  const composer = new Composer(HD);
  composer.setScene(scene(4), NOW);
  const sizes = [
    [640, 360],
    [1280, 720],
    [321, 181],
    [160, 120],
  ] as const;
  for (const [index, [width, height]] of sizes.entries()) {
    composer.put(`v${index}`, plain(width, height, 40 + 40 * index, 100 + index, 150 + index));
  }
  const picture = composer.draw(NOW);
  expect(picture).toHaveLength(1280 * 720 * 1.5);
  for (const [index, { rect }] of arrange(scene(4), HD).entries()) {
    expect(pixel(picture, ...middle(rect))).toEqual({ y: 40 + 40 * index, u: 100 + index, v: 150 + index });
    expect(pixel(picture, rect.x + 1, rect.y + 1)).toEqual(pixel(picture, ...middle(rect)));
  }
  expect(pixel(picture, 2, 2)).toEqual(BACKGROUND);
  composer.close();
});

test('a portrait camera and a screen are shown whole, with bars', () => {
  const composer = new Composer(HD);
  const [upright, sharing] = [person(0, { video: 'v0' }), person(1, { screen: 's1' })];
  composer.put('v0', plain(360, 640, 100));
  composer.put('s1', plain(1024, 768, 180));
  composer.setScene(scene(0, { people: [upright] }), NOW);
  look(composer, NOW, (picture) => {
    expect(pixel(picture, 640, 10)).toMatchObject({ y: 100 });
    expect(pixel(picture, 300, 360)).toEqual(BARS);
  });
  composer.setScene(scene(0, { people: [sharing] }), NOW + 1_000);
  look(composer, NOW + 2_000, (picture) => {
    expect(pixel(picture, 640, 10)).toMatchObject({ y: 180 });
    expect(pixel(picture, 100, 360)).toEqual(BARS);
    expect(pixel(picture, 1180, 360)).toEqual(BARS);
  });
  composer.close();
});

test('who speaks has a frame, who has no picture a disc of his colour', () => {
  const composer = new Composer(HD);
  const alone = scene(0, { people: [person(7, { speaking: true })] });
  composer.setScene(alone, NOW);
  look(composer, NOW, (picture) => {
    expect(pixel(picture, 2, 360)).toEqual(SPEAKING);
    expect(pixel(picture, 640, 718)).toEqual(SPEAKING);
    expect(pixel(picture, 640, 230)).toEqual(discOf('p7'));
  });
  composer.setScene({ ...alone, people: [person(7)] }, NOW);
  look(composer, NOW, (picture) => expect(pixel(picture, 2, 360)).not.toEqual(SPEAKING));
  composer.close();
});

test('a stream that stands still is grey after five seconds and in colour with the next picture', () => {
  const composer = new Composer(HD);
  composer.setScene(scene(1), NOW);
  composer.put('v0', plain(640, 360, 150));
  const corner = (timeMs: number) => look(composer, timeMs, (picture) => pixel(picture, 20, 20));
  expect(corner(NOW)).toEqual({ y: 150, u: 90, v: 200 });
  expect(corner(NOW + STALLED_AFTER_MS)).toEqual({ y: 150, u: 90, v: 200 });
  expect(corner(NOW + STALLED_AFTER_MS + 1)).toMatchObject({ u: 128, v: 128 });
  composer.put('v0', plain(640, 360, 150));
  expect(corner(NOW + STALLED_AFTER_MS + 34)).toEqual({ y: 150, u: 90, v: 200 });
  composer.close();
});

describe('drawing only what changed', () => {
  test('makes the same picture as drawing all anew', () => {
    const [kept, clock] = [
      new Composer({ ...HD, clock: true, timeZone: 'UTC' }),
      { clock: true, timeZone: 'UTC' },
    ];
    const pictures = new Map<string, I420Picture>();
    let now: Scene = scene(0);
    const step = (timeMs: number, next: Scene | undefined, ...puts: [string, I420Picture][]) => {
      for (const [trackId, picture] of puts) {
        pictures.set(trackId, picture);
        kept.put(trackId, picture);
      }
      if (next) {
        now = next;
        kept.setScene(now, timeMs);
      }
      const settled = timeMs + 400;
      const fresh = new Composer({ ...HD, ...clock });
      for (const [trackId, picture] of pictures) fresh.put(trackId, picture);
      fresh.setScene(now, settled);
      // Two canvases take turns, and each must have caught up.
      const first = kept.draw(settled);
      const second = kept.draw(settled);
      const wanted = copy(fresh.draw(settled));
      expect(wanted.equals(first) && wanted.equals(second)).toBe(true);
      kept.release(first);
      kept.release(second);
      fresh.close();
    };
    step(NOW, scene(3), ['v0', plain(640, 360, 60)], ['v1', plain(320, 180, 90)]);
    step(NOW + 500, undefined, ['v1', plain(320, 180, 200)]);
    step(NOW + 1_500, undefined);
    step(NOW + 2_000, { ...scene(3), people: people(3, { speaking: true, muted: true }) });
    step(NOW + 3_000, scene(4, { layout: 'speaker', speakers: ['p2'] }), ['v3', plain(640, 480, 30)]);
    const sharing = people(4).map((one, index) => (index === 1 ? { ...one, screen: 's1' } : one));
    step(NOW + 4_000, scene(0, { people: sharing }), ['s1', plain(1280, 800, 220)]);
    step(NOW + 4_700, undefined, ['s1', plain(1280, 800, 120)]);
    step(NOW + 4_800, undefined, ['v1', plain(320, 180, 40)]);
    kept.close();
  });

  test('leaves a picture alone while the encoder has it', () => {
    const composer = new Composer(HD);
    composer.setScene(scene(1), NOW);
    composer.put('v0', plain(640, 360, 60));
    const first = composer.draw(NOW);
    const before = copy(first);
    composer.put('v0', plain(640, 360, 200));
    const second = composer.draw(NOW + 33);
    expect(before.equals(first)).toBe(true);
    expect(before.equals(second)).toBe(false);
    composer.release(first);
    expect(composer.draw(NOW + 66)).toBe(first);
    for (let i = 0; i < 4; i += 1) composer.draw(NOW + 100 + i);
    expect(() => composer.draw(NOW + 200)).toThrow('none was released');
    composer.close();
  });
});

test('the clock shows the time of day in its zone, the label the name', () => {
  const composer = new Composer({ ...HD, clock: true, timeZone: 'Asia/Kolkata' });
  const other = new Composer({ ...HD, clock: true, timeZone: 'UTC' });
  for (const one of [composer, other]) one.setScene(scene(1), NOW);
  const region = (picture: Uint8Array) => copy(picture.subarray(16 * 1280, 60 * 1280));
  const at = (one: Composer, timeMs: number) => look(one, timeMs, region);
  expect(at(composer, NOW).equals(at(composer, NOW + 999))).toBe(true);
  expect(at(composer, NOW).equals(at(composer, NOW + 1_000))).toBe(false);
  expect(at(composer, NOW).equals(at(other, NOW + 5.5 * 3_600_000))).toBe(true);
  composer.close();
  other.close();
});

test('closing gives back what pictures and canvases took, and tracks that are gone are forgotten', () => {
  const composer = new Composer(HD);
  const { used } = composer.memory;
  composer.setScene(scene(1), NOW);
  composer.put('v0', plain(1280, 720, 60));
  composer.setScene(scene(0), NOW + 1_000);
  const usedAt = (timeMs: number) => look(composer, timeMs, () => composer.memory.used);
  const before = usedAt(NOW + 2_000);
  expect(usedAt(NOW + 3_999)).toBe(before);
  expect(usedAt(NOW + 4_000)).toBe(before - i420Bytes(1280, 720));
  composer.put('v0', plain(640, 360, 60));
  composer.close();
  // Tables and masks are kept.
  expect(composer.memory.used - used).toBeLessThan(300_000);
});

test('a picture that is shorter than its size says is refused', () => {
  const composer = new Composer(HD);
  const broken = { width: 640, height: 360, data: new Uint8Array(100) };
  expect(() => composer.put('v0', broken)).toThrow('345600 bytes');
  composer.close();
});
