/** File time of received frames. */

/**
 * A step of the media time that differs by more than this from the step of the arrival time is not a pause
 * but a sender that began a new count (a new encoder, a restarted client).
 */
const MAX_DISAGREEMENT_MS = 5_000;

export interface TimedFrame {
  /** Sender's media time, milliseconds; starts anywhere. */
  readonly mediaTimeMs: number;
  /** When it came, milliseconds since the epoch; lets a restarted count be told from a pause. */
  readonly receivedAtMs?: number;
}

export interface TrackClock {
  /** Time since the first frame, whole milliseconds, never negative. */
  fileTimeMs(frame: TimedFrame): number;
}

export function trackClock(): TrackClock {
  let offset: number | undefined;
  let lastMedia = 0;
  let lastReceived: number | undefined;
  let lastFile = 0;
  return {
    fileTimeMs({ mediaTimeMs, receivedAtMs }) {
      if (offset === undefined) offset = -mediaTimeMs;
      const step = mediaTimeMs - lastMedia;
      const arrival =
        receivedAtMs === undefined || lastReceived === undefined ? undefined : receivedAtMs - lastReceived;
      if (arrival !== undefined && Math.abs(step - arrival) > MAX_DISAGREEMENT_MS) {
        offset = lastFile + Math.max(0, arrival) - mediaTimeMs;
      }
      lastMedia = mediaTimeMs;
      lastReceived = receivedAtMs;
      lastFile = Math.max(0, mediaTimeMs + offset);
      return Math.round(lastFile);
    },
  };
}
