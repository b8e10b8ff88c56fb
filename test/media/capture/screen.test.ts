/** Sharing what is really on an X display: Xvfb, painted windows, the real ffmpeg; what comes out is decoded. */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type OpenScreenOptions, openScreen } from '../../../src/media/capture/open-screen.ts';
import type { ScreenSource } from '../../../src/media/capture/screen-source.ts';
import type { EncodedFrame } from '../../../src/media/types.ts';
import { decodeLuma, lumaOf, ssim, textPage } from '../../support/pictures.ts';
import { type PaintedWindow, Painter } from '../../support/x11-painter.ts';
import { hasXvfb, type Screen, startScreen } from '../../support/xvfb.ts';

const SIZE = { width: 1280, height: 720 };

/** Collects what a source gives. */
class Viewer {
  readonly frames: EncodedFrame[] = [];
  readonly failed = Promise.withResolvers<Error>();
  readonly #waiting = new Set<() => void>();

  watch(source: ScreenSource): this {
    source.start({
      frame: (frame) => {
        this.frames.push(frame);
        for (const look of this.#waiting) look();
      },
      ended: () => {},
      failed: (error) => this.failed.resolve(error),
    });
    return this;
  }

  of(layer: number): EncodedFrame[] {
    return this.frames.filter((frame) => frame.layer === layer);
  }

  async until(fits: () => boolean): Promise<void> {
    if (fits()) return;
    await new Promise<void>((resolve) => {
      const look = () => {
        if (!fits()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
    });
  }

  /** Waits for more pictures of a layer, by number. */
  async more(layer: number, count: number): Promise<EncodedFrame[]> {
    const before = this.of(layer).length;
    await this.until(() => this.of(layer).length >= before + count);
    return this.of(layer).slice(before);
  }
}

describe.runIf(hasXvfb)('a screen', { timeout: 60_000 }, () => {
  let screen: Screen;
  let painter: Painter;
  let window: PaintedWindow;
  let pages: Buffer[];
  beforeAll(async () => {
    screen = await startScreen(SIZE);
    painter = await Painter.open(screen.display);
    window = await painter.window({ x: 0, y: 0, ...SIZE, title: 'Slides' });
    pages = await Promise.all([1, 2, 3].map((number) => textPage(number, SIZE)));
    await painter.point(SIZE.width - 1, SIZE.height - 1);
  });
  afterAll(async () => {
    painter?.close();
    await screen?.close();
  });

  async function share(options: Partial<OpenScreenOptions> = {}, target: object = {}) {
    const source = await openScreen({
      ...options,
      target: { display: screen.display, cursor: false, ...target },
    });
    onTestFinished(() => source.close());
    return { source, viewer: new Viewer().watch(source) };
  }

  test('is sent in two layers, crisp within a second of a page, and then once a second', async () => {
    await window.paint(pages[0]!);
    const { source, viewer } = await share();
    expect(source.video.layers.map(({ width, height }) => [width, height])).toEqual([
      [640, 360],
      [1280, 720],
    ]);
    await viewer.until(() => viewer.of(1).length > 2);
    expect(viewer.of(0)[0]).toMatchObject({ keyframe: true });
    await window.paint(pages[1]!);
    const shownUs = viewer.of(1).at(-1)!.timestampUs;
    await viewer.until(() => (viewer.of(1).at(-1)?.timestampUs ?? 0) > shownUs + 900_000);
    const pictures = await decodeLuma(viewer.of(1), SIZE);
    expect(ssim(pictures.at(-1)!, lumaOf(pages[1]!), SIZE)).toBeGreaterThan(0.97);
    expect(source.content).toBe('detail');
    const steps = (await viewer.more(1, 4)).map(({ timestampUs }) => timestampUs / 1_000);
    expect(steps[3]! - steps[2]!).toBeGreaterThan(900);
    expect(steps[3]! - steps[2]!).toBeLessThan(1_300);
    const low = await decodeLuma(viewer.of(0), SIZE);
    expect(ssim(low.at(-1)!, lumaOf(pages[1]!), SIZE)).toBeGreaterThan(0.75);
  });

  test('gives a keyframe when one is asked for although nothing changes, of that layer only', async () => {
    await window.paint(pages[0]!);
    const { source, viewer } = await share();
    await viewer.until(() => viewer.of(1).length > 7);
    const keyframes = (layer: number) => viewer.of(layer).filter(({ keyframe }) => keyframe).length;
    expect([keyframes(0), keyframes(1)]).toEqual([1, 1]);
    source.requestKeyFrame(1);
    await viewer.until(() => keyframes(1) === 2);
    expect(keyframes(0)).toBe(1);
    const late = viewer.of(1).slice(viewer.of(1).findLastIndex(({ keyframe }) => keyframe));
    const [picture] = await decodeLuma(late, SIZE);
    expect(ssim(picture!, lumaOf(pages[0]!), SIZE)).toBeGreaterThan(0.9);
  });

  test('encodes no layer that nobody wants, and begins one again with a keyframe', async () => {
    const { source, viewer } = await share();
    await viewer.until(() => viewer.of(0).length > 0 && viewer.of(1).length > 0);
    source.setLayerActive(1, false);
    await viewer.more(0, 1);
    const before = viewer.of(1).length;
    await viewer.more(0, 3);
    expect(viewer.of(1).length).toBe(before);
    source.setLayerActive(1, true);
    expect((await viewer.more(1, 1))[0]).toMatchObject({ keyframe: true });
  });

  test('that moves is motion within a second or so, and is sent at its full rate', async () => {
    const moved = Promise.withResolvers<void>();
    const { viewer } = await share({ onContent: (content) => content === 'motion' && moved.resolve() });
    let frame = 0;
    const painting = new AbortController();
    const film = (async () => {
      while (!painting.signal.aborted) {
        frame += 1;
        await window.paint(pages[frame % 3]!);
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
    })();
    await moved.promise;
    const sent = await viewer.more(0, 30);
    painting.abort();
    await film;
    const seconds = (sent.at(-1)!.timestampUs - sent[0]!.timestampUs) / 1e6;
    // Five a second is what detail gets.
    expect((sent.length - 1) / seconds).toBeGreaterThan(8);
  });

  test('of a window follows its size, and ends with it', async () => {
    const small = await painter.window({ x: 100, y: 60, width: 640, height: 480, title: 'Notes' });
    const { source, viewer } = await share({}, { window: 'notes' });
    expect(source.video.layers).toHaveLength(1);
    const sizes = () =>
      viewer.frames
        .filter(({ keyframe }) => keyframe)
        .map(({ data }) => [data.readUInt16LE(6) & 0x3fff, data.readUInt16LE(8) & 0x3fff]);
    await viewer.until(() => viewer.frames.length > 0);
    expect(sizes().at(-1)).toEqual([640, 480]);
    await small.resize(800, 300);
    await viewer.until(() => sizes().at(-1)![0] === 800);
    expect(sizes().at(-1)).toEqual([800, 300]);
    await small.destroy();
    expect(await viewer.failed.promise).toMatchObject({
      code: 'device-unusable',
      message: 'The window that was shared is closed.',
    });
  });

  test('is shared in part', async () => {
    await window.paint(pages[0]!);
    const { viewer } = await share({}, { region: { width: 400, height: 200, x: 40, y: 40 } });
    await viewer.until(() => viewer.of(0).length > 4);
    const [picture] = (await decodeLuma(viewer.of(0), { width: 400, height: 200 })).slice(-1);
    const luma = lumaOf(pages[0]!);
    const part = Buffer.concat(
      Array.from({ length: 200 }, (_, row) => luma.subarray((40 + row) * 1280 + 40, (40 + row) * 1280 + 440)),
    );
    expect(ssim(picture!, part, { width: 400, height: 200 })).toBeGreaterThan(0.97);
  });

  test.each([
    ['a display that is not there', { display: ':63999' }, 'device-unusable', ':63999 cannot be used'],
    ['no display', { display: 'hello' }, 'bad-config', 'no X display'],
    ['a window that is not there', { window: 'nothing like it' }, 'bad-config', 'No window has'],
    ['an id that is none', { window: '0x7fffff' }, 'bad-config', 'no window with the id'],
    ['a monitor that is not there', { monitor: 9 }, 'bad-config', 'There is no monitor 9'],
    [
      'a region beyond the screen',
      { region: { width: 100, height: 100, x: 5_000, y: 0 } },
      'bad-config',
      'not on the screen',
    ],
  ])('says so of %s', async (_, target, code, words) => {
    const opened = openScreen({ target: { display: screen.display, cursor: false, ...target } });
    await expect(opened).rejects.toMatchObject({
      code,
      message: expect.stringContaining(words.replace('no X', 'not an X')),
    });
  });
});
