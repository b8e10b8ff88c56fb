/** Every kind of file as input of `meet join`, and what arrives of it. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hasEncoder, runFfmpeg } from '../support/barcode-ffmpeg.ts';
import { create, type MeetEvent, meet, nothingLeft, serve, stopAll } from '../support/meet-process.ts';
import { readSavedFolder, type SavedMedia } from '../support/saved-media.ts';

type Kind = 'audio' | 'video';
/** Frames of more than one round: 50 of sound and 10 (a still) to 50 of picture make a second. */
const ENOUGH: Record<Kind, number> = { audio: 130, video: 30 };

interface Sent {
  /** Also the name that its participant has. */
  readonly name: string;
  /** ffmpeg's arguments that make it. */
  readonly made: readonly string[];
  readonly option: '--video' | '--audio';
  readonly kinds: readonly Kind[];
  /** Taller than wide. */
  readonly portrait?: boolean;
  readonly needs?: string;
}

const picture = (rate = 25) => ['-f', 'lavfi', '-i', `testsrc2=s=320x180:r=${rate}:d=2`];
const sound = ['-f', 'lavfi', '-i', 'sine=frequency=500:duration=2'];

const FILES: readonly Sent[] = [
  { name: 'tone.wav', made: sound, option: '--audio', kinds: ['audio'] },
  { name: 'song.mp3', made: sound, option: '--video', kinds: ['audio'], needs: 'libmp3lame' },
  { name: 'still.png', made: [...picture(), '-frames:v', '1'], option: '--video', kinds: ['video'] },
  { name: 'clip.mkv', made: [...picture(), ...sound], option: '--video', kinds: ['video', 'audio'] },
  { name: 'mute.webm', made: [...picture(15), '-c:v', 'libvpx'], option: '--video', kinds: ['video'] },
  { name: 'film.mov', made: [...picture(50), ...sound], option: '--video', kinds: ['video', 'audio'] },
  {
    name: 'turned.mp4',
    made: [...picture(), ...sound],
    option: '--video',
    kinds: ['video', 'audio'],
    portrait: true,
  },
];
const usable = FILES.filter(({ needs }) => needs === undefined || hasEncoder(needs));

let saved: Map<string, SavedMedia[]>;
let codes: Map<string, number | null>;

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'meet-join-media-'));
  const [{ url }] = await Promise.all([
    serve(join(folder, 'data')),
    ...usable.map(async ({ name, made, portrait }) => {
      await runFfmpeg([...made, join(folder, portrait ? `flat-${name}` : name)]);
      if (!portrait) return;
      // A phone held upright: the pictures lie on their side and the file says so.
      const turn = ['-i', join(folder, `flat-${name}`), '-c', 'copy', '-metadata:s:v:0', 'rotate=90'];
      await runFfmpeg([...turn, join(folder, name)]);
    }),
  ]);
  const meeting = await create(url);
  const received = join(folder, 'received');
  const receiver = meet(['join', meeting.url, '--json', '--save', received]);
  await receiver.waitFor('joined');
  const senders = usable.map(({ name, option }) => {
    const args = ['--name', name.replace('.', ''), option, join(folder, name), '--loop', '--receive', 'none'];
    return meet(['join', meeting.url, '--json', ...args]);
  });
  const tracks = usable.reduce((sum, { kinds }) => sum + kinds.length, 0);
  // Until each has played its two seconds more than once, however long the machine takes to encode them all.
  const enough = ({ received: all }: MeetEvent) =>
    (all as { kind: string; frames: number }[]).filter(({ kind, frames }) => frames >= ENOUGH[kind as Kind])
      .length === tracks;
  await receiver.waitFor('stats', enough, 60_000);
  const ended = await Promise.all(senders.map((sender) => sender.stop()));
  codes = new Map(usable.map(({ name }, index) => [name, ended[index] ?? null]));
  await receiver.stop();
  saved = await readSavedFolder(received);
}, 120_000);
afterAll(async () => {
  await stopAll();
  await nothingLeft();
});

test.each(FILES)('$name', ({ name, kinds, portrait = false, needs }) => {
  if (needs !== undefined && !hasEncoder(needs)) return;
  expect(codes.get(name)).toBe(130);
  const tracks = saved.get(name.replace('.', '')) ?? [];
  expect(tracks.map(({ kind }) => kind).sort()).toEqual([...kinds].sort());
  for (const { kind, frames, seconds, width = 0, height = 0 } of tracks) {
    if (kind === 'audio') expect(seconds).toBeGreaterThan(2.5);
    if (kind === 'audio') continue;
    expect(frames).toBeGreaterThanOrEqual(ENOUGH.video);
    expect(height > width).toBe(portrait);
  }
});
