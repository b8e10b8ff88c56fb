/** Waits until receivers have what they are to begin with. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Participants } from './meeting.ts';

const POLL_MS = 250;

/**
 * Until each of them receives a picture of so many lines, or the patience is over: whoever does not get there shows it
 * in what is measured then.
 */
export async function untilLines(
  lines: number,
  patienceMs: number,
  ...receivers: (readonly [Participants, string])[]
): Promise<void> {
  const deadline = performance.now() + patienceMs;
  const isThere = async ([participants, id]: readonly [Participants, string]) => {
    const { received } = await participants.program.ask('stats', { id });
    return received.some(({ kind, height }) => kind === 'video' && height === lines);
  };
  while (performance.now() < deadline) {
    if ((await Promise.all(receivers.map(isThere))).every(Boolean)) return;
    await delay(POLL_MS);
  }
}

/** Until each of them has had a whole frame of so many tracks; fails when the patience is over. */
export async function untilReceiving(
  tracks: number,
  patienceMs: number,
  ...receivers: (readonly [Participants, string])[]
): Promise<void> {
  const deadline = performance.now() + patienceMs;
  const missing = async ([participants, id]: readonly [Participants, string]) => {
    const { received } = await participants.program.ask('stats', { id });
    return received.filter(({ frames }) => frames > 0).length < tracks;
  };
  while ((await Promise.all(receivers.map(missing))).some(Boolean)) {
    if (performance.now() > deadline) throw new Error(`Not everybody receives ${tracks} tracks`);
    await delay(POLL_MS);
  }
}
