/** A meeting of `meet` processes for tests that break something in it. */
import { expect } from 'vitest';
import { barcodeClip } from '../support/barcode-clip.ts';
import { type MeetEvent, type MeetProcess, type MeetProcessOptions, meet } from '../support/meet-process.ts';

interface TrackStats {
  readonly participantId: string;
  readonly kind: string;
  readonly packets: number;
  readonly frames: number;
}

export const receivedTracks = (event: MeetEvent) => event.received as TrackStats[];

/** Small, so that many send it on one machine and nobody waits for its encoding. */
const clip = await barcodeClip({ seconds: 4, width: 320, height: 180 });

/** A participant that sends picture and sound and receives everybody. */
export function participant(
  meetingUrl: string,
  name: string,
  args: readonly string[] = [],
  options?: MeetProcessOptions,
): MeetProcess {
  return meet(['join', meetingUrl, '--json', '--name', name, '--video', clip, '--loop', ...args], options);
}

export async function idOf(who: MeetProcess): Promise<string> {
  return String((await who.waitFor('joined', undefined, 60_000)).participantId);
}

/**
 * Resolves with when frames of both kinds of a participant came after a moment, milliseconds since the epoch: counted
 * from what is received now, or on tracks that are new since.
 */
export async function mediaFrom(
  receiver: MeetProcess,
  participantId: string,
  timeoutMs = 20_000,
): Promise<number> {
  const last = receiver.all('stats').at(-1);
  const before = new Map<string, number>();
  for (const track of last ? receivedTracks(last) : []) {
    if (track.participantId === participantId) before.set(track.kind, track.frames);
  }
  // To a server a receiver on a busy machine looks like one behind a narrow link: it then gets sound only, and is told so.
  const soundOnly = () => receiver.all('audio-only').at(-1)?.audioOnly === true;
  const flows = (event: MeetEvent) =>
    (soundOnly() ? ['audio'] : ['audio', 'video']).every((kind) =>
      receivedTracks(event).some(
        (track) =>
          track.participantId === participantId &&
          track.kind === kind &&
          track.frames > 0 &&
          // Fewer than before: the track is a new one.
          track.frames !== before.get(kind),
      ),
    );
  return Number((await receiver.next('stats', flows, timeoutMs)).at);
}

/** Everybody receives exactly one track of each kind of everybody else. */
export async function expectWhole(everybody: readonly MeetProcess[]): Promise<void> {
  const ids = await Promise.all(everybody.map(idOf));
  for (const [index, who] of everybody.entries()) {
    const others = ids.filter((_, other) => other !== index);
    const wanted = others.flatMap((id) => [`${id} audio`, `${id} video`]).sort();
    const latest = await who.next('stats');
    expect(
      receivedTracks(latest)
        .map(({ participantId, kind }) => `${participantId} ${kind}`)
        .sort(),
    ).toEqual(wanted);
  }
}
