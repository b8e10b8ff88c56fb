/** A clip with a counter in the picture and a beep a second goes through the server and comes out whole. */
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createMeeting } from '../../src/client/api.ts';
import { joinMeeting } from '../../src/client/join.ts';
import { openFile } from '../../src/media/file/open.ts';
import { barcodeClip } from '../support/barcode-clip.ts';
import { compareAv, reportCounters } from '../support/barcode-compare.ts';
import { readBarcodeFrames, readBeeps } from '../support/barcode-media.ts';
import { mediaCacheDir } from '../support/media-cache.ts';
import { afterStart, onlyLayer, saveTracks } from '../support/received.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

const SECONDS = 8;
const HEIGHTS = [180, 360, 720];
/** Frames that pass while the receiver learns of the tracks and connects, at most. */
const START_FRAMES = 75;

let server: TestServer;
let clip: string;
beforeAll(async () => {
  [server, clip] = await Promise.all([startTestServer(), barcodeClip({ seconds: SECONDS })]);
}, 120_000);
afterAll(() => server.close());

describe.each(HEIGHTS.map((height, layer) => ({ height, layer })))(
  'the $height p layer',
  ({ height, layer }) => {
    test('decodes with every frame in order, and picture and sound within 40 ms', async () => {
      const { meeting } = await createMeeting(server.url, {});
      const receiver = await joinMeeting({ meeting: meeting.url, displayName: 'Receiver' });
      const sizes = new Set<number | undefined>();
      const saved = saveTracks(receiver, ['audio', 'video'], (track, frame) => {
        if (track.kind === 'video' && frame.keyframe) sizes.add(frame.height);
      });
      const source = await openFile({ video: clip, cacheDir: mediaCacheDir() });
      const sender = await joinMeeting({
        meeting: meeting.url,
        displayName: 'Sender',
        source: onlyLayer(source, layer),
      });
      await once(sender, 'source-ended');
      await sender.leave();
      const { audio, video } = await saved;
      await receiver.leave();

      expect([...sizes]).toEqual([height]);
      const frames = await readBarcodeFrames(video.path);
      const counters = reportCounters(afterStart(frames));
      expect(counters).toMatchObject({ missing: 0, repeated: 0, backward: 0, unreadable: 0 });
      expect(counters.frames).toBeGreaterThan(SECONDS * 30 - START_FRAMES);
      expect(frames.at(-1)?.counter).toBe(SECONDS * 30 - 1);

      const offsets = compareAv(frames, await readBeeps(audio.path), {
        beepsLaterBySeconds: (audio.startedAtMs - video.startedAtMs) / 1000,
      });
      expect(offsets.length).toBeGreaterThanOrEqual(SECONDS - 2);
      for (const { offsetMs } of offsets) expect(Math.abs(offsetMs)).toBeLessThanOrEqual(40);
    }, 60_000);
  },
);
