/** Events of a recording, at seconds from its start. */
import type { RecordingEvent } from '../../../src/recorder/types.ts';
import { STARTED_AT } from './recording-fixture.ts';

const wall = (second: number): number => STARTED_AT + second * 1_000;
type Event<T extends RecordingEvent['type']> = Extract<RecordingEvent, { type: T }>;

export const joins = (id: string, name: string, at: number): Event<'participant'> => ({
  ...{ type: 'participant', at: wall(at), id, name, role: 'participant', state: 'joined', muted: [] },
});

export const speaks = (at: number, ...participantIds: string[]): Event<'speakers'> => ({
  ...{ type: 'speakers', at: wall(at), participantIds },
});

export const shares = (at: number, participantId: string, on: boolean): Event<'share'> => ({
  ...{ type: 'share', at: wall(at), participantId, on },
});

/** A microphone whose file begins at a second. */
export function talks(at: number, participantId: string, file: string): RecordingEvent[] {
  const trackId = `track-${file}`;
  return [
    { type: 'track', at: wall(at), trackId, participantId, source: 'microphone', codec: 'opus', file },
    { type: 'anchor', at: wall(at), trackId, rtpTimestamp: 0, fileMs: 0, capturedAt: wall(at) },
  ];
}

/** A camera whose file begins at a second. */
export function shows(at: number, participantId: string, file: string): RecordingEvent[] {
  const trackId = `track-${file}`;
  return [
    { type: 'track', at: wall(at), trackId, participantId, source: 'camera', codec: 'vp8', file },
    { type: 'anchor', at: wall(at), trackId, rtpTimestamp: 0, fileMs: 0, capturedAt: wall(at) },
  ];
}
