/** Output time: wall time since the start, less the pauses. */
import type { Recording } from './recording.ts';

type Timeline = Pick<Recording, 'startedAt' | 'stoppedAt' | 'pauses'>;

/**
 * Milliseconds from the start of the output to what happened at a wall time; during a pause the time at which it
 * began. Negative before the start, 0 for a recording that has not started.
 */
export function outputTimeMs({ startedAt, pauses }: Timeline, wallMs: number): number {
  if (startedAt === undefined) return 0;
  let paused = 0;
  for (const { from, to = Number.POSITIVE_INFINITY } of pauses) {
    if (wallMs > from) paused += Math.min(wallMs, to) - from;
  }
  return wallMs - startedAt - paused;
}

/** Wall time at which a moment of the output was; after a pause rather than before it. */
export function wallTimeMs({ startedAt = 0, pauses }: Timeline, outputMs: number): number {
  let wall = startedAt + outputMs;
  for (const { from, to } of [...pauses].sort((a, b) => a.from - b.from)) {
    if (to !== undefined && wall >= from) wall += to - from;
  }
  return wall;
}

/** Whether a wall time is in a pause. */
export function isPaused({ pauses }: Timeline, wallMs: number): boolean {
  return pauses.some(({ from, to = Number.POSITIVE_INFINITY }) => wallMs >= from && wallMs < to);
}

/** Length of the output, milliseconds; of one that has not stopped, up to `nowMs`. */
export function outputDurationMs(timeline: Timeline, nowMs: number): number {
  return Math.max(0, outputTimeMs(timeline, timeline.stoppedAt ?? nowMs));
}
