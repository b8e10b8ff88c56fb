/** Where each level has its keyframes, in what ffmpeg really makes of pictures at different rates. */
import { describe, expect, test } from 'vitest';
import { Encoding } from '../../../src/media/encode/encoding.ts';
import { cellTicks, TICKS_PER_SECOND } from '../../../src/media/encode/keyframe-grid.ts';
import { findFfmpeg } from '../../../src/media/ffmpeg/locate.ts';
import type { VideoCodec } from '../../../src/media/types.ts';
import { hasEncoder } from '../../support/barcode-ffmpeg.ts';

async function encode(source: string, offset: readonly string[], codec: VideoCodec, still: boolean) {
  const encoding = new Encoding({
    ffmpeg: await findFfmpeg({}),
    name: source,
    request: {
      input: [...offset, '-f', 'lavfi', '-i', source],
      video: {
        codec,
        layers: [{ width: 160, height: 90, bitrate: 150_000 }],
        frameRate: 30,
        still,
        stream: '0:v',
      },
    },
  });
  await encoding.done;
  return encoding.media;
}

const shapes = (rate: number | string) => `testsrc2=s=160x90:r=${rate}:d=2.5`;
const SOURCES: { name: string; source: string; codec?: VideoCodec; still?: boolean; offset?: string[] }[] = [
  ...[8, 10, 12, 15, '24000/1001', 24, 25, 30, 50, 60].map((rate) => ({
    name: `${rate} a second`,
    source: shapes(rate),
  })),
  { name: 'uneven times', source: `${shapes(60)},select='lt(random(7),0.4)'` },
  { name: 'a late beginning', source: shapes(25), offset: ['-itsoffset', '0.33'] },
  { name: 'a still image', source: `${shapes(25)},trim=end_frame=1`, still: true },
  { name: 'H.264 at 25', source: shapes(25), codec: 'h264' },
];

describe.each(SOURCES)('$name', ({ source, offset = [], codec = 'vp8', still = false }) => {
  test.skipIf(codec === 'h264' && !hasEncoder('libx264'))(
    'each eighth of a second begins with a keyframe, and each run holds the pictures of its cell',
    async () => {
      const media = await encode(source, offset, codec, still);
      const eighth = cellTicks(3);
      expect(media.pictures[0]).toBe(0);
      media.pictures.forEach((ticks, index) => {
        const cell = Math.floor(ticks / eighth);
        if (Math.floor((media.pictures[index - 1] ?? -1) / eighth) === cell) return;
        expect(media.run(0, ticks), `${ticks / TICKS_PER_SECOND} s`).toBeDefined();
      });
      for (const run of media.runs(0)) {
        const cell = cellTicks(run.level);
        const end = (Math.floor(run.startTicks / cell) + 1) * cell;
        const held = media.pictures.filter((ticks) => ticks >= run.startTicks && ticks < end);
        expect(run.sizes, `level ${run.level} from ${run.startTicks}`).toHaveLength(held.length);
      }
    },
  );
});
