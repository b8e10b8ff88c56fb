/** What recordings say about an interval. Times are those of the shared clock, milliseconds. */
import { quantile } from '../harness/figure.ts';
import type { RecordedFrame, Recording } from './recording.ts';

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

/** All frames of a kind, in order: a track that was lost with its connection comes back as another one. */
export function framesOf({ tracks }: Recording, kind: 'audio' | 'video'): RecordedFrame[] {
  return tracks.flatMap((track) => (track.kind === kind ? track.frames : [])).sort((a, b) => a.at - b.at);
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

/**
 * How much later than the fastest picture this share of them is there, milliseconds: the delay with which a player
 * shows that share in time.
 */
export function playoutDelay(frames: readonly RecordedFrame[], share: number, interval: Interval): number {
  const transits = within(frames, interval).map(({ at, mediaMs }) => at - mediaMs);
  if (transits.length === 0) return Number.POSITIVE_INFINITY;
  return quantile(transits, share) - Math.min(...transits);
}

const AUDIO_FRAME_MS = 20;
const EDGE_FRAMES = 15;

/**
 * Share of the 20 ms frames of sound that never came, 0 to 1: the gaps in the RTP time of those that did, and what is
 * missing to fill the interval.
 */
export function audioLoss(frames: readonly RecordedFrame[], interval: Interval): number {
  const received = new Set(
    within(frames, interval).map(({ mediaMs }) => Math.round(mediaMs / AUDIO_FRAME_MS)),
  );
  const numbers = [...received].sort((a, b) => a - b);
  const expectedByTime = (interval.to - interval.from) / AUDIO_FRAME_MS;
  if (numbers.length === 0) return 1;
  const expected = numbers.at(-1)! - numbers[0]! + 1;
  // What ceases to come before the end leaves no gap. A few frames are the jitter of the edges.
  const cut = Math.max(0, expectedByTime - expected - EDGE_FRAMES);
  const total = expected + cut;
  return (total - received.size) / total;
}

/** Share of the sound that had to be made up, and that came from in-band FEC, 0 to 1. */
export interface Concealment {
  readonly concealed: number;
  readonly recovered: number;
}

/** What the audio decoder did in an interval, by the statistics sampled nearest to its edges. */
export function concealment({ samples }: Recording, { from, to }: Interval): Concealment {
  const at = (time: number) => {
    const sample = samples.findLast((each) => each.at <= time) ?? samples[0];
    const audio = sample?.tracks.find(({ kind }) => kind === 'audio');
    return { at: sample?.at ?? time, concealed: audio?.concealedMs ?? 0, recovered: audio?.recoveredMs ?? 0 };
  };
  const [before, after] = [at(from), at(to)];
  const ms = Math.max(1, after.at - before.at);
  return {
    concealed: (after.concealed - before.concealed) / ms,
    recovered: (after.recovered - before.recovered) / ms,
  };
}
