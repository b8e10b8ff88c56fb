import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MeetError } from '../../../src/protocol/errors.ts';
import type { Peer, Room, Sfu } from '../../../src/server/sfu/index.ts';
import { nextOffer, startSfu } from './harness.ts';
import { acceptAll, MID_EXT, OPUS, offer, RID_EXTS, RIDS, section, TCC_EXT, VP8 } from './offers.ts';

let sfu: Sfu;
let room: Room;
let deaths = 0;
let count = 0;

beforeAll(async () => {
  sfu = await startSfu();
  sfu.on('worker-died', () => deaths++);
  room = await sfu.createRoom('fuzz');
});
afterAll(() => sfu.close());

const GOOD = offer([
  section({ codecs: OPUS, lines: [MID_EXT, 'a=ssrc:1 cname:a'] }),
  section({ kind: 'video', mid: '1', codecs: VP8, lines: [MID_EXT, TCC_EXT, ...RID_EXTS, ...RIDS] }),
  section({
    kind: 'video',
    mid: '2',
    lines: [MID_EXT, 'a=ssrc-group:FID 5 6', 'a=ssrc:5 cname:a', 'a=ssrc:6 cname:a'],
  }),
]);

/** Values that parsers trip over. */
const nasty = fc.oneof(
  fc.constantFrom(
    '',
    '0',
    '-1',
    '65536',
    '4294967296',
    '1e9',
    'NaN',
    '__proto__',
    'constructor',
    '*',
    ' ',
    '\u0000',
    '😀',
    ';',
    '=',
  ),
  fc.string({ maxLength: 40 }),
  fc.integer().map(String),
);

/** One edit of a line: gone, doubled, moved, cut, or a word of it replaced. */
const edit = fc.record({
  line: fc.nat(),
  word: fc.nat(),
  value: nasty,
  how: fc.constantFrom('drop', 'double', 'swap', 'cut', 'word', 'number', 'append'),
});

function mutate(
  sdp: string,
  edits: readonly { line: number; word: number; value: string; how: string }[],
): string {
  const lines = sdp.split('\r\n');
  for (const { line, word, value, how } of edits) {
    const index = line % lines.length;
    const text = lines[index]!;
    if (how === 'drop') lines.splice(index, 1);
    else if (how === 'double') lines.splice(index, 0, text);
    else if (how === 'swap') lines.push(...lines.splice(index, 1));
    else if (how === 'cut') lines[index] = text.slice(0, word % (text.length + 1));
    else if (how === 'append') lines[index] = `${text} ${value}`;
    else {
      const pieces = text.split(how === 'word' ? /([ :=;])/ : /(\d+)/);
      pieces[word % pieces.length] = value;
      lines[index] = pieces.join('');
    }
    if (lines.length === 0) lines.push('');
  }
  return lines.join('\r\n');
}

const mutated = fc.array(edit, { minLength: 1, maxLength: 8 }).map((edits) => mutate(GOOD, edits));

/** Only errors of ours, each a caller's fault. */
async function orOurs(action: Promise<unknown>): Promise<void> {
  try {
    await action;
  } catch (error) {
    expect(error).toBeInstanceOf(MeetError);
    expect((error as MeetError).fault, String((error as MeetError).cause)).toBe('caller');
  }
}

async function withPeer(use: (peer: Peer) => Promise<void>): Promise<void> {
  const peer = room.addPeer(`p${count++}`);
  try {
    await use(peer);
  } finally {
    peer.close();
  }
}

test('mutated offers', async () => {
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(mutated, mutated, (first, second) =>
      withPeer(async (peer) => {
        await orOurs(peer.publish({ sdp: first }));
        if (peer.tracks.length > 0) taken++;
        await orOurs(peer.publish({ sdp: second }));
      }),
    ),
    { numRuns: 1500 },
  );
  // Otherwise only the parser was tested.
  expect(taken).toBeGreaterThan(100);
  expect(deaths).toBe(0);
});

test('random text', async () => {
  const text = fc.oneof(
    fc.string({ maxLength: 2000 }),
    fc
      .array(
        fc.tuple(fc.constantFrom('m=', 'a=', 'v=', 'o=', 'c='), fc.string()).map((parts) => parts.join('')),
      )
      .map((lines) => lines.join('\n')),
  );
  await fc.assert(
    fc.asyncProperty(text, (sdp) => withPeer((peer) => orOurs(peer.publish({ sdp })))),
    { numRuns: 500 },
  );
  expect(deaths).toBe(0);
});

test('mutated answers', async () => {
  await withPeer(async (publisher) => {
    await publisher.publish({ sdp: GOOD });
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 8 }), (edits) =>
        withPeer(async (peer) => {
          const coming = nextOffer(peer);
          await peer.setSubscription({ audio: true, video: true });
          const { sdp } = await coming;
          const next = nextOffer(peer);
          await orOurs(peer.answer(mutate(acceptAll(sdp), edits)));
          // Whatever was refused, the next offer can be made and answered.
          const open = peer.openOffer ?? (await Promise.all([next, peer.restartIce()]))[0];
          await orOurs(peer.answer(acceptAll(open.sdp)));
        }),
      ),
      { numRuns: 500 },
    );
  });
  expect(deaths).toBe(0);
});

test('long lines and many of them take no time', async () => {
  const bodies = [
    `a=candidate:${'1 '.repeat(100_000)}`,
    `a=simulcast:send ${'1;'.repeat(100_000)}`,
    `a=simulcast: ${' '.repeat(100_000)}`,
    `a=ssrc-group:SIM ${'1 '.repeat(100_000)}`,
    `a=fmtp:111 ${'a=1;'.repeat(60_000)}`,
    `a=extmap:1${' '.repeat(200_000)}`,
    `a=imageattr:* ${'[x=1] '.repeat(40_000)}`,
    `a=rtcp-fb:* ${'nack '.repeat(40_000)}`,
    ...[
      'a=ssrc:1 cname:a',
      'a=rid:1 send',
      'a=extmap:1 urn:x',
      'a=rtpmap:96 VP8/90000',
      'a=candidate:1 1 udp 1 1.1.1.1 1 typ host',
    ].map((line) => `${line}\r\n`.repeat(10_000)),
  ];
  for (const body of bodies) {
    const startedAt = performance.now();
    await withPeer((peer) => orOurs(peer.publish({ sdp: offer([section({ lines: [MID_EXT, body] })]) })));
    expect(performance.now() - startedAt, body.slice(0, 20)).toBeLessThan(500);
  }
  expect(deaths).toBe(0);
});
