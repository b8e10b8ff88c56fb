/** Two percent of the packets are lost each way, and what is saved at the other end is still whole. */
import { mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BEEP_SECONDS } from '../support/barcode-beeps.ts';
import { barcodeClip } from '../support/barcode-clip.ts';
import { compareAv, reportCounters } from '../support/barcode-compare.ts';
import { type BarcodeFrame, readBarcodeFrames, readBeeps } from '../support/barcode-media.ts';
import { create, type MeetProcess, meet, nothingLeft, serve, stopAll } from '../support/meet-process.ts';
import { noNamespaces, TwoHosts } from '../support/namespaces.ts';
import { afterStart } from '../support/received.ts';
import { matroskaDate, pictureHeights } from '../support/saved-media.ts';

const SECONDS = 12;
const LOSS_PERCENT = 2;
const missing = noNamespaces();

/** Neighbours with the same key together. */
function runs<T>(items: readonly T[], key: (item: T) => unknown): T[][] {
  const found: T[][] = [];
  for (const item of items) {
    const run = found.at(-1);
    if (run !== undefined && key(run[0]!) === key(item)) run.push(item);
    else found.push([item]);
  }
  return found;
}

describe.skipIf(missing !== undefined)(`${LOSS_PERCENT} % loss each way`, () => {
  let hosts: TwoHosts;
  let receiver: MeetProcess;
  let frames: BarcodeFrame[];
  /**
   * The frames of each layer that the server sent, one after the other: a busy machine looks to it like a narrow link,
   * and what it leaves out where it changes the layer is not lost.
   */
  let layers: BarcodeFrame[][];
  let files: Record<'camera' | 'microphone', string>;

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'meet-loss-'));
    hosts = await TwoHosts.create();
    const there = { prefix: hosts.client.prefix };
    const [{ url }, clip] = await Promise.all([
      serve(join(folder, 'data'), ['--host', hosts.server.address], { prefix: hosts.server.prefix }),
      barcodeClip({ seconds: SECONDS }),
    ]);
    const meeting = await create(url, [], there);
    // Encoded beforehand: what is measured is the network, not this machine's encoder.
    const warm = meet(['join', meeting.url, '--json', '--video', clip, '--receive', 'none'], there);
    await warm.exited;
    await hosts.loseUdp(LOSS_PERCENT);
    const received = join(folder, 'received');
    receiver = meet(['join', meeting.url, '--json', '--save', received], there);
    await receiver.waitFor('joined');
    const sender = meet(
      ['join', meeting.url, '--json', '--name', 'Sender', '--video', clip, '--receive', 'none'],
      there,
    );
    expect(await sender.exited).toEqual({ code: 0, signal: null });
    await receiver.waitFor('participant', ({ name, state }) => name === 'Sender' && state === 'left');
    await receiver.stop();
    const names = await readdir(received);
    const named = (source: string) => join(received, names.find((name) => name.includes(`-${source}-`))!);
    files = { camera: named('camera'), microphone: named('microphone') };
    frames = await readBarcodeFrames(files.camera);
    const heights = await pictureHeights(files.camera);
    expect(heights).toHaveLength(frames.length);
    const sized = frames.map((frame, index) => ({ ...frame, height: heights[index]! }));
    layers = runs(afterStart(sized), ({ height }) => height);
  }, 120_000);
  afterAll(async () => {
    await stopAll();
    await hosts.close();
    await nothingLeft();
  });

  test('packets were lost and came again', () => {
    const [video] = receiver
      .all('stats')
      .flatMap(({ received }) => received as { kind: string; packets: number; retransmitted: number }[])
      .filter(({ kind }) => kind === 'video')
      .slice(-1);
    expect(video?.retransmitted).toBeGreaterThan(video!.packets * (LOSS_PERCENT / 100 / 2));
  });

  test('fewer than 0.5 % of the frames are missing, none is repeated, all are in order', () => {
    const reports = layers.map((layer) => reportCounters(layer));
    for (const report of reports) expect(report).toMatchObject({ repeated: 0, backward: 0, unreadable: 0 });
    const sum = (key: 'frames' | 'missing') => reports.reduce((total, report) => total + report[key], 0);
    expect(sum('frames')).toBeGreaterThan((SECONDS - 5) * 30);
    expect(sum('missing') / (sum('frames') + sum('missing'))).toBeLessThan(0.005);
  });

  test('picture and sound are within 40 ms', async () => {
    const [video, audio] = await Promise.all([matroskaDate(files.camera), matroskaDate(files.microphone)]);
    const beepsLaterBySeconds = (audio - video) / 1000;
    const offsets = compareAv(frames, await readBeeps(files.microphone), { beepsLaterBySeconds })
      // Sound that begins in the middle of a beep does not say when the beep began.
      .filter(({ beep }) => beep - beepsLaterBySeconds > BEEP_SECONDS);
    expect(offsets.length).toBeGreaterThanOrEqual(SECONDS - 3);
    for (const { offsetMs } of offsets) expect(Math.abs(offsetMs)).toBeLessThanOrEqual(40);
  });
});
