import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Audience, layOut, MAX_PAGE_SIZE, type View } from '../../src/client/view.ts';
import type { MediaSource, ParticipantInfo } from '../../src/protocol/model.ts';
import { MAX_VIDEO_REQUESTS } from '../../src/protocol/signaling.ts';

const participant = (id: string, ...sources: MediaSource[]): ParticipantInfo => ({
  id,
  name: `Name of ${id}`,
  role: 'participant',
  state: 'joined',
  joinedAt: 1,
  hand: null,
  tracks: sources.map((source) => ({
    id: `${id}-${source}`,
    kind: source === 'microphone' || source === 'screen-audio' ? 'audio' : 'video',
    source,
    codec: 'vp8',
    muted: false,
    layers: 3,
  })),
});
const cameras = (count: number) =>
  Array.from({ length: count }, (_, i) => participant(`p${i}`, 'camera', 'microphone'));
const audience = (participants: ParticipantInfo[], more: Partial<Audience> = {}): Audience => ({
  selfId: 'self',
  participants: [participant('self', 'camera'), ...participants],
  ...more,
});
const ids = (view: View, from: Audience) =>
  layOut(view, from).videos.map(({ participantId }) => participantId);
const heights = (view: View, from: Audience) => layOut(view, from).videos.map(({ maxHeight }) => maxHeight);

describe('a gallery', () => {
  test.each([
    [1, 720],
    [2, 360],
    [4, 360],
    [5, 180],
    [25, 180],
  ])('of %i shows tiles of %i lines', (count, height) => {
    expect(new Set(heights({ layout: 'gallery' }, audience(cameras(count))))).toEqual(new Set([height]));
  });

  test('has pages of 25, and the last one for what is beyond', () => {
    const all = audience(cameras(60));
    expect(layOut({ layout: 'gallery' }, all)).toMatchObject({ pages: 3 });
    expect(ids({ layout: 'gallery', page: 1 }, all)[0]).toBe('p25');
    expect(ids({ layout: 'gallery', page: 2 }, all)).toHaveLength(10);
    expect(ids({ layout: 'gallery', page: 9 }, all)).toEqual(ids({ layout: 'gallery', page: 2 }, all));
  });

  test('asks for who sends nothing yet where there is room, behind those who do', () => {
    const all = audience([participant('silent'), ...cameras(2)]);
    expect(layOut({ layout: 'gallery' }, all).videos).toEqual([
      { participantId: 'p0', source: 'camera', maxHeight: 360 },
      { participantId: 'p1', source: 'camera', maxHeight: 360 },
      { participantId: 'silent', source: 'camera', maxHeight: 360 },
    ]);
    expect(ids({ layout: 'gallery' }, audience([participant('silent'), ...cameras(25)]))).not.toContain(
      'silent',
    );
  });

  test('shows screens first, a pinned participant on every page and a raised hand on the first', () => {
    const all = audience([...cameras(30), participant('screener', 'screen')], { raisedHands: ['p29'] });
    const { videos } = layOut({ layout: 'gallery', page: 1, pin: 'name of P3' }, all);
    expect(videos[0]).toEqual({ participantId: 'screener', source: 'screen' });
    expect(videos[1]).toMatchObject({ participantId: 'p3', pinned: true });
    expect(ids({ layout: 'gallery' }, all)[1]).toBe('p29');
  });

  test('does not change when another speaks', () => {
    expect(ids({ layout: 'gallery' }, audience(cameras(9), { speakers: ['p7'] }))).toEqual(
      ids({ layout: 'gallery' }, audience(cameras(9))),
    );
  });
});

describe('the speaker layout', () => {
  test('shows the first speaker with a camera large, who is not oneself', () => {
    const all = audience([...cameras(3), participant('voice', 'microphone')], {
      speakers: ['self', 'voice', 'p2', 'p1'],
    });
    const { videos } = layOut({ layout: 'speaker' }, all);
    expect(videos[0]).toEqual({ participantId: 'p2', source: 'camera', maxHeight: 720 });
    expect(new Set(videos.slice(1).map(({ maxHeight }) => maxHeight))).toEqual(new Set([90]));
  });

  test('shows the pinned one while others speak, and one picture only on a page of one', () => {
    const all = audience(cameras(5), { speakers: ['p2'] });
    expect(ids({ layout: 'speaker', pin: 'p4' }, all)[0]).toBe('p4');
    expect(ids({ layout: 'speaker', pageSize: 1 }, all)).toEqual(['p2']);
  });
});

test('no tile is higher than the viewer allows', () => {
  expect(heights({ layout: 'gallery', maxHeight: 240 }, audience(cameras(1)))).toEqual([240]);
});

test('any view asks for each other participant at most once, and for no more than the server takes', () => {
  fc.assert(
    fc.property(
      fc.record({
        layout: fc.constantFrom<View['layout']>('gallery', 'speaker'),
        page: fc.integer({ min: -3, max: 50 }),
        pageSize: fc.integer({ min: -1, max: 60 }),
        pin: fc.constantFrom('p0', 'p7', 'nobody'),
      }),
      fc.array(fc.subarray<MediaSource>(['camera', 'microphone', 'screen']), { maxLength: 80 }),
      fc.array(
        fc.integer({ min: 0, max: 90 }).map((n) => `p${n}`),
        { maxLength: 4 },
      ),
      (view, published, speakers) => {
        const all = audience(
          published.map((sources, i) => participant(`p${i}`, ...sources)),
          { speakers },
        );
        const { videos, pages } = layOut(view, all);
        const keys = videos.map(({ participantId, source }) => `${participantId} ${source}`);
        expect(new Set(keys).size).toBe(keys.length);
        expect(videos.length).toBeLessThanOrEqual(MAX_VIDEO_REQUESTS);
        expect(videos.filter(({ source }) => source === 'camera').length).toBeLessThanOrEqual(MAX_PAGE_SIZE);
        expect(keys).not.toContain('self camera');
        // Everybody is on some page.
        const seen = new Set<string>();
        for (let page = 0; page < pages; page += 1)
          for (const id of ids({ ...view, page }, all)) seen.add(id);
        if (view.pageSize !== 1 || view.layout === 'gallery') {
          for (let i = 0; i < published.length && view.pageSize > 1; i += 1) expect(seen).toContain(`p${i}`);
        }
      },
    ),
    { numRuns: 200 },
  );
});
