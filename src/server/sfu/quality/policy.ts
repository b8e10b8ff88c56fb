/**
 * What a receiver gets of each video: the rules and their figures, and nothing of how they are carried out.
 *
 * 1. Audio comes first: what it takes is set aside, and below {@link VIDEO_MIN_BITRATE} there is no video at all.
 * 2. A single video gets the best layer whose threshold the estimate reaches ({@link thresholdOf}). For several, the
 *    same threshold is compared with what the other videos leave of the estimate, and all layers sent plus the audio
 *    must fit into the estimate. So whoever watches one video sees exactly the thresholds, and whoever watches 25 gets
 *    what fits.
 * 3. Everybody's lowest layer comes before anybody's better one; then screens, pinned videos, the active speaker, the
 *    other speakers and the rest are raised in this order, those of one rank in turns.
 * 4. Of a video with temporal layers the frame rate is halved before a lower layer is taken.
 * 5. Down at once, up only after {@link HOLD_MS} of enough bandwidth and as long after the last switch.
 * 6. Audio only is for links that cannot carry the least video, not for estimates that have followed it down
 *    ({@link CLING_SHARE}).
 * 7. Loss that lasts: {@link BUDGET_LOSS} and {@link HEAVY_LOSS}. Loss that begins: {@link SUDDEN_LOSS}.
 *
 * What the receiver asks for (another page, a pin) is done at once within the bandwidth that is already granted: rule 5
 * is about the network.
 */
import type { VideoInput } from './types.ts';

/** Below it video is off and audio kept: 48 kbit/s of speech, its overhead and the smallest picture fill it. */
export const VIDEO_MIN_BITRATE = 200_000;
/** From here layers of more than 180 lines: 360 lines at 600 kbit/s, with half the frame rate when that is tight. */
export const MEDIUM_BITRATE = 600_000;
/** From here layers of more than 360 lines: 720 lines at 1.5 Mbit/s with a third to spare for retransmission. */
export const HIGH_BITRATE = 2_000_000;
/** How long the bandwidth must be there before a switch up, and how long no switch up follows any switch. */
export const HOLD_MS = 5_000;
/**
 * A switch down compares the best estimate of this long, and of two at least, with the threshold: one feedback that
 * came late is no fall, and most of the second allowed is left for the keyframe.
 */
export const FALL_WINDOW_MS = 250;
/** An estimate that falls below this share of the one before counts at once. */
export const SUDDEN_FALL = 0.8;
/**
 * An estimate that falls by so much and by so much again within {@link TREND_MS} is falling: its newest value counts at once.
 * The worker lowers it by 15 % each fifth of a second.
 */
export const TREND_SHARE = 0.92;
export const TREND_MS = 1_000;
/**
 * So long after a switch the queue in front of the link drains and the estimate dips below what the link bears (to half
 * of it, for a quarter of a second, at 1 Mbit/s): a further switch down then needs estimates of a longer time.
 */
export const DRAIN_MS = 1_500;
export const DRAIN_WINDOW_MS = 500;
/** A layer that is being sent is kept down to this share of its threshold, so that noise of ±5 % changes nothing. */
export const KEEP_SHARE = 0.93;
/** A fall by more than this share is one whatever is being sent, and the thresholds hold as they are. */
export const FALL_SHARE = 0.8;
/**
 * The least video is kept below {@link VIDEO_MIN_BITRATE} while nothing is lost and the estimate is at least this share of what
 * is sent: the worker lowers its estimate to 85 % of what arrives, also where all that is sent arrives and only a probe has
 * made a queue. On a link of 150 kbit/s it is 73 %, and packets are lost.
 */
export const CLING_SHARE = 0.8;
/**
 * So long after a switch down its loss is still in the mean, which says nothing then; and a little less than what is sent
 * arrives, since the queue had to drain.
 */
export const AFTERMATH_MS = 4_000;
export const AFTERMATH_CLING_SHARE = 0.75;
/** Longer than such an estimate takes to grow back. */
export const CLING_MS = 10_000;
/**
 * An estimate that is not this much better than one that was found too low for more is no news: without it, luck in the
 * noise would raise one video after the other as long as nothing changes.
 */
export const NEWS_FACTOR = 1.05;
/** The least of a steady window is at least this share of its mean. */
export const STEADY_SHARE = 0.85;
/** A switch up is announced so long before, so that the bandwidth can be probed for. */
export const PROBE_LEAD_MS = 1_000;
/** A switch up that had to be taken back within this time was one too many: the next waits twice as long. */
export const TRIAL_MS = 20_000;
export const LONGEST_HOLD_MS = 60_000;
/** So much more bandwidth than at the failed attempt and the doubled wait is forgotten: it is another network. */
export const FORGET_FAILURE_FACTOR = 1.5;

/** From this loss senders protect their Opus by in-band FEC; video stays as it is. */
export const FEC_LOSS = 0.05;
/** FEC stays on down to this loss, since it costs little and a rate at the border would toggle it. */
export const FEC_KEEP_LOSS = 0.03;
/** From this loss video gets {@link LOSSY_BUDGET_SHARE} of the estimate; retransmissions need the rest. */
export const BUDGET_LOSS = 0.1;
export const LOSSY_BUDGET_SHARE = 0.8;
/** Above it the next lower layer, and audio only when there is none. */
export const HEAVY_LOSS = 0.2;
/** A loss that has been heavy counts as such down to this: what is measured at 25 % goes from 17 to 33. */
export const HEAVY_KEEP_LOSS = 0.15;
/**
 * Loss must last this long before a layer or a part of the budget is given up for it. A link that becomes narrower
 * loses packets as well, until the switch that it causes has had its effect.
 */
export const LASTING_LOSS_MS = 2_500;
/** Loss that has fallen below this share of what it was within {@link SUDDEN_LOSS_MS} is over, and only its mean is not. */
export const FALLING_LOSS_SHARE = 0.8;
/**
 * Loss that rises to this within {@link SUDDEN_LOSS_MS} from less than {@link FEC_LOSS} is a link that has become too
 * narrow, half a second before the estimate says so; where the queue in front of it is short the estimate takes two.
 */
export const SUDDEN_LOSS = 0.14;
/** It needs to be no more than this when the estimate has fallen by a tenth in the same time. */
export const SUDDEN_LOSS_FALLING = 0.1;
export const FALLING_SHARE = 0.9;
export const SUDDEN_LOSS_MS = 1_000;
/** What is left of the bandwidth in use then: one layer less, of each video at most. */
export const SUDDEN_LOSS_SHARE = 0.6;

/** Tiles lower than this are thumbnails: the lowest layer at its lowest frame rate, 100 kbit/s at most. */
export const THUMBNAIL_HEIGHT = 180;
/** Videos at once; more cannot be told apart on a screen. Screens are beyond it. */
export const MAX_PAGE_VIDEOS = 25;
/** Bits a second set aside for audio when less is being sent: someone may start to speak. */
export const AUDIO_RESERVE = 50_000;

/** Bandwidth from which one video may have a layer of this height when a lower one exists, bits a second. */
export function thresholdOf(height: number): number {
  return height > 360 ? HIGH_BITRATE : height > 180 ? MEDIUM_BITRATE : VIDEO_MIN_BITRATE;
}

/** One of the ways to send a video. */
export interface Step {
  readonly layer: number;
  readonly temporal: number;
  readonly cost: number;
  readonly threshold: number;
}

/** What of a video may be sent, from the least to the best; `lossCap` is the highest layer allowed. */
export function stepsOf({ layers, maxHeight }: VideoInput, lossCap: number): Step[] {
  const present = layers.flatMap((layer, index) => (layer.state === 'missing' ? [] : [{ layer, index }]));
  const usable = present.length > 0 ? present : [{ layer: layers[0]!, index: 0 }];
  const tall = (height: number) => maxHeight !== undefined && height > maxHeight;
  const steps: Step[] = [];
  for (const [position, { layer, index }] of usable.entries()) {
    if (position > 0 && (tall(layer.height) || index > lossCap)) break;
    const best = layer.bitrates.length - 1;
    const threshold = position === 0 ? 0 : thresholdOf(layer.height);
    const add = (temporal: number) =>
      steps.push({ layer: index, temporal, cost: layer.bitrates[temporal] ?? 0, threshold });
    if (maxHeight !== undefined && maxHeight < THUMBNAIL_HEIGHT) {
      add(0);
      break;
    }
    if (best > 0) add(best - 1);
    add(best);
  }
  return steps;
}

/** What must be there for a video to be sent at all, bits a second. */
function admissionOf(cost: number): number {
  return Math.min(cost, HIGH_BITRATE);
}

/** What the least of the videos takes to be sent alone, bits a second; 0 without videos. */
export function leastOf(videos: readonly VideoInput[]): number {
  // Of the lowest layer whether it is sent or not: while nobody is sent anything all of them sleep.
  const costs = videos.map(({ layers }) => admissionOf(layers[0]?.bitrates[0] ?? 0));
  return costs.length === 0 ? 0 : Math.min(...costs);
}

function rankOf({ source, pinned, speakerRank }: VideoInput): number {
  if (source === 'screen') return 0;
  if (pinned) return 1;
  if (speakerRank === undefined) return 4;
  return speakerRank === 0 ? 2 : 3;
}

/**
 * Shares a bandwidth among the videos. With more bandwidth the first choice that differs is always the better one, so
 * comparing two results needs only to ask whether they are the same.
 *
 * @returns by track id, what is to be sent; tracks that get nothing are not in it.
 */
export function allocate(
  estimate: number,
  audioBitrate: number,
  videos: readonly VideoInput[],
  lossCap = Number.POSITIVE_INFINITY,
): Map<string, Step> {
  const given = new Map<string, Step>();
  if (estimate < VIDEO_MIN_BITRATE) return given;
  const room = estimate - Math.max(audioBitrate, AUDIO_RESERVE);
  const ranked = videos
    .map((video) => ({ id: video.trackId, rank: rankOf(video), steps: stepsOf(video, lossCap) }))
    .filter(({ steps }) => steps.length > 0)
    .sort((a, b) => a.rank - b.rank);
  let used = 0;
  for (const { id, steps } of ranked) {
    const lowest = steps[0]!;
    // The most important video may go into what is set aside for audio that is not being sent. One that has no lower layer
    // than the best is tried from there on; loss and delay tell whether the link bears it.
    const fits =
      used + lowest.cost <= room || (used === 0 && admissionOf(lowest.cost) + audioBitrate <= estimate);
    if (!fits) continue;
    given.set(id, lowest);
    used += lowest.cost;
  }
  for (let start = 0; start < ranked.length; ) {
    const rank = ranked[start]!.rank;
    const end = ranked.findIndex((video, index) => index > start && video.rank !== rank);
    let open = ranked.slice(start, end < 0 ? undefined : end).filter(({ id }) => given.has(id));
    for (let next = 1; open.length > 0; next++) {
      open = open.filter(({ id, steps }) => {
        const step = steps[next];
        if (step === undefined) return false;
        const others = used - given.get(id)!.cost;
        if (others + step.cost > room || estimate - others < step.threshold) return false;
        given.set(id, step);
        used = others + step.cost;
        return true;
      });
    }
    start = end < 0 ? ranked.length : end;
  }
  return given;
}

/**
 * Percent of loss that an Opus encoder should protect against, from what its worst receiver loses; in steps of five,
 * since each change is a message. 0 turns FEC off.
 */
export function audioProtection(loss: number, current: number): number {
  if (loss < (current > 0 ? FEC_KEEP_LOSS : FEC_LOSS)) return 0;
  const percent = loss * 100;
  // Between two steps the one in force stays.
  if (current > 0 && percent > current - 7 && percent <= current) return current;
  return Math.min(30, Math.max(5, Math.ceil(percent / 5) * 5));
}
