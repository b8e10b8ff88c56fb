/** Temporal layers as they leave a source: with keyframes asked for, in the middle of their period. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { temporalLayerArguments, Vp8TemporalLayers } from '../../../src/media/encode/vp8-temporal-layers.ts';
import { openFile } from '../../../src/media/file/open.ts';
import type { EncodedFrame } from '../../../src/media/types.ts';
import { runFfmpeg } from '../../support/barcode-ffmpeg.ts';
import { ivf, makeMedia, play, shapes, temporaryFolder } from '../file/made.ts';

const HEIGHTS = [180, 360, 720];
const folder = temporaryFolder();
let layers: EncodedFrame[][];

beforeAll(async () => {
  const clip = await makeMedia(folder.path('clip.mkv'), ...shapes('1280x720', 4), '-c:v', 'ffv1');
  const source = await openFile({ video: clip });
  const { frames } = await play(source, (_frame, all) => {
    // At every thirteenth picture, before those of the other layers.
    if (all.length % 39 === 1) for (const layer of HEIGHTS.keys()) source.requestKeyFrame(layer);
    return false;
  });
  layers = HEIGHTS.map((_, layer) => frames.filter((frame) => frame.layer === layer));
}, 120_000);
afterAll(() => folder.remove());

/** MD5 of each picture. */
async function decode(frames: readonly EncodedFrame[]): Promise<string[]> {
  const input = ivf(
    'VP80',
    frames.map(({ data }) => data),
  );
  const { stdout, stderr } = await runFfmpeg(
    ['-v', 'error', '-f', 'ivf', '-i', 'pipe:0', '-vsync', 'passthrough', '-f', 'framemd5', 'pipe:1'],
    { input },
  );
  expect(stderr).toBe('');
  const lines = stdout.toString().split('\n');
  return lines.filter((line) => line.startsWith('0,')).map((line) => line.split(',')[5]!.trim());
}

const idOf = (frame: EncodedFrame) => frame.temporalLayer?.id ?? 0;

describe.each(HEIGHTS.map((height, layer) => ({ height, layer })))('of the $height p layer', ({ layer }) => {
  test('a quarter of the pictures is in the lowest, a half in the lower two', () => {
    const frames = layers[layer]!;
    expect(frames.filter(({ keyframe }) => keyframe).length).toBeGreaterThan(7);
    const share = (id: number) => frames.filter((frame) => idOf(frame) <= id).length / frames.length;
    expect(share(0)).toBeGreaterThan(0.24);
    // Each keyframe begins a period before the last one was over.
    expect(share(0)).toBeLessThan(0.36);
    expect(share(1)).toBeGreaterThan(0.45);
    expect(share(1)).toBeLessThan(0.6);
  });

  test.each([0, 1])('the pictures up to layer %i decode to the same as with all', async (highest) => {
    const frames = layers[layer]!;
    const all = await decode(frames);
    expect(all).toHaveLength(frames.length);
    const kept = frames.flatMap((frame, i) => (idOf(frame) <= highest ? [{ frame, md5: all[i] }] : []));
    expect(await decode(kept.map(({ frame }) => frame))).toEqual(kept.map(({ md5 }) => md5));
  });

  test('all layers may be taken from any synchronisation point on', async () => {
    const frames = layers[layer]!;
    const all = await decode(frames);
    const points = frames.flatMap(({ temporalLayer }, i) =>
      temporalLayer?.sync && temporalLayer.id > 0 ? [i] : [],
    );
    expect(points.length).toBeGreaterThan(20);
    for (const from of points.slice(3, -1).filter((_, i) => i % 7 === 0)) {
      const kept = frames.flatMap((frame, i) =>
        i >= from || idOf(frame) === 0 ? [{ frame, md5: all[i] }] : [],
      );
      expect(await decode(kept.map(({ frame }) => frame))).toEqual(kept.map(({ md5 }) => md5));
    }
  });
});

test('the lowest temporal layer of 180p fits into 100 kbit/s, while nobody asks for keyframes', async () => {
  const source = await openFile({ video: folder.path('clip.mkv') });
  const frames = (await play(source)).frames.filter(({ layer }) => layer === 0);
  const bytes = frames.filter((frame) => idOf(frame) === 0).reduce((sum, { data }) => sum + data.length, 0);
  expect((bytes * 8) / (frames.length / 30)).toBeLessThan(85_000);
});

test('an ffmpeg that cannot make them is asked for none', () => {
  expect(temporalLayerArguments(600_000, [58, 18, 100])).toEqual([]);
  expect(temporalLayerArguments(600_000, [59, 37, 100]).join(' ')).toContain('ts_target_bitrate=240,360,600');
});

test('what is no VP8 picture has no layer', () => {
  const layersOf = new Vp8TemporalLayers();
  expect(layersOf.read(Buffer.alloc(0))).toBeUndefined();
  expect(layersOf.read(Buffer.from([1, 2, 3]))).toBeUndefined();
  // Cut short: read as zeros, and never beyond its end.
  expect(layersOf.read(Buffer.from([1, 2, 3, 4]))).toBeDefined();
});
