/** What recordings say about an interval. Times are those of the shared clock, milliseconds. */
import type { RecordedFrame, RecordedTrack, Recording } from './recording.ts';

export interface Interval {
  readonly from: number;
  readonly to: number;
}

/** A picture that nothing follows for longer than this counts as no video. */
export const STALE_MS = 700;
/** A pause between two pictures that people notice. */
export const FREEZE_MS = 200;

const within = (frames: readonly RecordedFrame[], { from, to }: Interval) =>
  frames.filter(({ at }) => at >= from && at < to);

/** The first track of this kind, of this participant where one is named. */
export function trackOf(
  { tracks }: Recording,
  kind: 'audio' | 'video',
  participantId?: string,
): RecordedTrack {
  const track = tracks.find(
    (each) => each.kind === kind && (participantId === undefined || each.participantId === participantId),
  );
  if (track === undefined) throw new Error(`No ${kind} track was received`);
  return track;
}

/**
 * Share of an interval in which pictures of this many lines were what came, 0 to 1; with 0 lines the share without
 * any. Each picture stands until the next, for {@link STALE_MS} at most.
 */
export function shareAt(frames: readonly RecordedFrame[], lines: number, { from, to }: Interval): number {
  let shown = 0;
  let matching = 0;
  for (const [index, { at, height }] of frames.entries()) {
    const until = Math.min(frames[index + 1]?.at ?? Number.POSITIVE_INFINITY, at + STALE_MS, to);
    const ms = Math.max(0, until - Math.max(at, from));
    shown += ms;
    if (height === lines) matching += ms;
  }
  return (lines === 0 ? to - from - shown : matching) / (to - from);
}

/**
 * When pictures higher than this ceased to come, after `from`: the first picture of a lower layer behind the last one
 * of a higher, or where none came any more the last picture itself.
 */
export function fellAt(frames: readonly RecordedFrame[], lines: number, { from, to }: Interval): number {
  const during = within(frames, { from, to });
  const last = during.findLastIndex(({ height }) => height > lines);
  if (last < 0) return from;
  return during[last + 1]?.at ?? during[last]!.at;
}

/** When the first picture of at least so many lines came; `undefined` for never. */
export function reachedAt(
  frames: readonly RecordedFrame[],
  lines: number,
  interval: Interval,
): number | undefined {
  return within(frames, interval).find(({ height }) => height >= lines)?.at;
}

/** Pictures a second. */
export function framesPerSecond(frames: readonly RecordedFrame[], interval: Interval): number {
  return (within(frames, interval).length * 1000) / (interval.to - interval.from);
}

export interface Freezes {
  readonly count: number;
  /** The longest, milliseconds; also where it is none yet. */
  readonly longest: number;
  /** Of all of them, milliseconds. */
  readonly total: number;
}

/** Pauses longer than {@link FREEZE_MS} between pictures. */
export function freezes(frames: readonly RecordedFrame[], interval: Interval): Freezes {
  const times = [interval.from, ...within(frames, interval).map(({ at }) => at), interval.to];
  const pauses = times.slice(1).map((at, index) => at - times[index]!);
  const long = pauses.filter((ms) => ms > FREEZE_MS);
  return {
    count: long.length,
    longest: pauses.reduce((most, ms) => Math.max(most, ms), 0),
    total: long.reduce((sum, ms) => sum + ms, 0),
  };
}

export interface AudioLoss {
  /** Share of the 20 ms frames that never came, 0 to 1. */
  readonly lost: number;
  /** Share for which the frame behind it came, so that in-band FEC can bring it back. */
  readonly repairable: number;
}

const AUDIO_FRAME_MS = 20;

/** By the RTP time of the frames that came; those before and behind the interval's first and last do not count. */
export function audioLoss(frames: readonly RecordedFrame[], interval: Interval): AudioLoss {
  const received = new Set(
    within(frames, interval).map(({ mediaMs }) => Math.round(mediaMs / AUDIO_FRAME_MS)),
  );
  const numbers = [...received].sort((a, b) => a - b);
  const expectedByTime = (interval.to - interval.from) / AUDIO_FRAME_MS;
  if (numbers.length === 0) return { lost: 1, repairable: 0 };
  const [first, last] = [numbers[0]!, numbers.at(-1)!];
  const expected = last - first + 1;
  let repairable = 0;
  for (let number = first; number < last; number += 1)
    if (!received.has(number) && received.has(number + 1)) repairable += 1;
  // Silence at the end of the interval has no frame that tells it; a handful is the jitter of the interval's edges.
  const cut = Math.max(0, expectedByTime - expected - EDGE_FRAMES);
  const total = expected + cut;
  return { lost: (total - received.size) / total, repairable: repairable / total };
}

const EDGE_FRAMES = 15;
