/** Which tracks hold sound, and at which wall time each moment of them was. */
import type { RecordingEvent } from '../../types.ts';

export interface SoundTrack {
  readonly trackId: string;
  readonly participantId: string;
  /** The participant's name when the track began; of a screen, that of who shares it. */
  readonly speaker: string;
  /** In the folder's `tracks/`. */
  readonly file: string;
  /** Wall time of a moment in the file; both in milliseconds, the wall's since the epoch. */
  wallMs(fileMs: number): number;
}

interface Anchor {
  readonly fileMs: number;
  readonly capturedAt: number;
}

/** The audio tracks of a recording, in the order in which they began. */
export function soundTracks(events: readonly RecordingEvent[]): SoundTrack[] {
  const names = new Map<string, string>();
  const tracks: (Omit<SoundTrack, 'wallMs'> & { at: number; anchors: Anchor[] })[] = [];
  for (const event of events) {
    if (event.type === 'participant') names.set(event.id, event.name);
    if (event.type === 'anchor') {
      // A track that goes on in another file after a restart has anchors of its own there.
      tracks.findLast(({ trackId }) => trackId === event.trackId)?.anchors.push(event);
    }
    if (event.type !== 'track' || !isSound(event.source)) continue;
    const { trackId, participantId, file, at } = event;
    const speaker = names.get(participantId) ?? 'Somebody';
    tracks.push({ trackId, participantId, speaker, file, at, anchors: [] });
  }
  return tracks.map(({ at, anchors, ...track }) => ({ ...track, wallMs: fileClock(anchors, at) }));
}

const isSound = (source: string): boolean => source === 'microphone' || source === 'screen-audio';

/** Between anchors the sender's clock runs evenly; before the first and after the last as ours does. */
function fileClock(anchors: readonly Anchor[], beganAt: number): (fileMs: number) => number {
  const sorted = [...anchors].sort((a, b) => a.fileMs - b.fileMs);
  return (fileMs) => {
    let [from, to] = [0, sorted.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (sorted[middle]!.fileMs < fileMs) from = middle + 1;
      else to = middle;
    }
    const [previous, next] = [sorted[from - 1], sorted[from]];
    if (!previous || !next || next.fileMs === previous.fileMs) {
      const { fileMs: at, capturedAt } = next ?? previous ?? { fileMs: 0, capturedAt: beganAt };
      return capturedAt + fileMs - at;
    }
    const share = (fileMs - previous.fileMs) / (next.fileMs - previous.fileMs);
    return previous.capturedAt + share * (next.capturedAt - previous.capturedAt);
  };
}
