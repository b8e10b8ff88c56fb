/** File time of received frames. */

/**
 * A sender that counts anew (a new encoder, a restarted client) shows by a step back of more than this, or
 * by running ahead of the time in which its frames come by more than this. Frames that come late and in a
 * burst after a stall do neither.
 */
const MAX_DISAGREEMENT_MS = 5_000;

/**
 * An SFU that goes to another simulcast layer repeats a picture in its size and gives it, and with it all that
 * follow, times that are a picture later than before (mediasoup's SimulcastConsumer: 33 ms each time, 75 ms at most).
 * Times of capture show that, and it is taken off. Less is scatter, and more, or the opposite, is another thing.
 */
const LAYER_SHIFT_MS = { least: 25, most: 110 };
/** Share of one frame's time of capture in what they are compared with. */
const SCATTER_WEIGHT = 0.1;

export interface TimedFrame {
  /** Sender's media time, milliseconds; starts anywhere. */
  readonly mediaTimeMs: number;
  /** When it came, milliseconds since the epoch; lets a sender's new count be told from a pause. */
  readonly receivedAtMs?: number;
  /** When it was captured on the sender's wall clock, milliseconds since the epoch, where known. */
  readonly captureTimeMs?: number | undefined;
}

export interface TrackClock {
  /** Time since the first frame, whole milliseconds, never negative. */
  fileTimeMs(frame: TimedFrame): number;
}

export function trackClock(): TrackClock {
  /** Frame that the others are measured from, in all three times. */
  let anchor: { readonly media: number; readonly file: number; readonly received: number } | undefined;
  /** Time of capture less media time, as they were when they last agreed. */
  let captureOffset: number | undefined;
  let last: { readonly media: number; readonly file: number; readonly received: number } | undefined;
  return {
    fileTimeMs({ mediaTimeMs: media, receivedAtMs, captureTimeMs }) {
      const received = receivedAtMs ?? Number.NaN;
      anchor ??= { media, file: 0, received };
      let file = anchor.file + media - anchor.media;
      if (last !== undefined) {
        const passed = received - last.received;
        const ahead = file - anchor.file - (received - anchor.received);
        // Not so for frames without a time of arrival: NaN is never greater.
        if (ahead > MAX_DISAGREEMENT_MS || (last.media - media > MAX_DISAGREEMENT_MS && passed >= 0)) {
          file = last.file + Math.max(0, passed);
          anchor = { media, file, received };
          captureOffset = undefined;
        }
      }
      if (captureTimeMs !== undefined) {
        const offset = captureTimeMs - media;
        const shift = (captureOffset ?? offset) - offset;
        if (shift > LAYER_SHIFT_MS.least && shift < LAYER_SHIFT_MS.most) {
          // The picture that comes again comes a moment after itself.
          file = Math.max(file - shift, (last?.file ?? 0) + 1);
          anchor = { media, file, received };
        }
        // Scatter is averaged out, whatever is more is the new measure.
        const scatter = Math.abs(shift) <= LAYER_SHIFT_MS.least;
        captureOffset = scatter ? offset + shift * (1 - SCATTER_WEIGHT) : offset;
      }
      file = Math.max(0, file);
      last = { media, file, received };
      return Math.round(file);
    },
  };
}
