import fc from 'fast-check';
import { expect, test } from 'vitest';
import { simulcastLayers } from '../../../src/media/encode/layers.ts';

test.each([
  { of: [1280, 720], are: ['320x180@150', '640x360@600', '1280x720@1500'] },
  { of: [1920, 1080], are: ['320x180@150', '640x360@600', '1280x720@1500'] },
  { of: [1080, 1920], are: ['180x320@150', '360x640@600', '720x1280@1500'] },
  { of: [640, 480], are: ['320x240@200', '640x480@726'] },
  { of: [320, 180], are: ['320x180@150'] },
  { of: [100, 50], are: ['100x50@50'] },
  { of: [1, 1], are: ['2x2@50'] },
])('$of', ({ of: [width, height], are }) => {
  const layers = simulcastLayers(width!, height!);
  expect(layers.map((layer) => `${layer.width}x${layer.height}@${Math.round(layer.bitrate / 1000)}`)).toEqual(
    are,
  );
});

test('layers are even, never larger than the source, ordered, and keep its shape', () => {
  fc.assert(
    fc.property(fc.integer({ min: 16, max: 8000 }), fc.integer({ min: 16, max: 8000 }), (width, height) => {
      const layers = simulcastLayers(width, height);
      for (const [i, layer] of layers.entries()) {
        expect(layer.width % 2).toBe(0);
        expect(layer.height % 2).toBe(0);
        expect(layer.width).toBeLessThanOrEqual(width);
        expect(layer.height).toBeLessThanOrEqual(height);
        expect(Math.max(layer.width, layer.height)).toBeLessThanOrEqual(1280);
        expect(Math.min(layer.width, layer.height)).toBeLessThanOrEqual(720);
        if (i > 0) expect(layer.bitrate).toBeGreaterThanOrEqual(layers[i - 1]!.bitrate);
      }
      const top = layers.at(-1)!;
      // Each side is off by at most two pixels.
      expect(Math.abs(top.width * height - top.height * width)).toBeLessThanOrEqual(2 * (width + height));
    }),
  );
});
