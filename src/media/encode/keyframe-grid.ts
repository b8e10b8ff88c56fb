/**
 * How a cached file answers a keyframe request within 125 ms without skipping or repeating a frame.
 *
 * Each layer is encoded as four streams, *levels*. Level 0 has every picture and a keyframe a second. Level k has
 * only the pictures of the odd cells of 1/2^k s, each cell starting with a keyframe:
 *
 *     level 0  K----------------------------------------------  0 … 1 s
 *     level 1                          K---------------------   ½ … 1
 *     level 2              K---------              K---------   ¼ … ½, ¾ … 1
 *     level 3        K---        K---        K---        K---   the odd eighths
 *
 * At every eighth of a second exactly one level starts with a keyframe, and where its cell ends, a longer one
 * starts. A sender that is asked for a keyframe goes to the level that starts next and follows the starts from
 * there, until it is back in level 0 at the latest a second later.
 *
 * Measured with 1280x720 at 30 fps, three layers, libvpx at fixed speed 8, one ffmpeg process; CPU in seconds a
 * second of media with decoding, wait for a keyframe at a random moment (mean, p95), stored bit rate of all layers:
 *
 * | way                                            | CPU  | mean   | p95    | Mbit/s |
 * |------------------------------------------------|------|--------|--------|--------|
 * | one GOP a second, no switching                 | 0.23 | 500 ms | 950 ms | 2.2    |
 * | four whole streams, 250 ms apart               | 0.72 | 125 ms | 238 ms | 8.9    |
 * | one stream, three that last to the next second | 0.51 | 125 ms | 238 ms | 5.7    |
 * | eight whole streams, 125 ms apart (2 × the 4)  | 1.4  | 63 ms  | 119 ms | 17.8   |
 * | these four levels                              | 0.48 | 63 ms  | 119 ms | 5.9    |
 *
 * Waits, the fourth row and the bit rate of the third are calculated, the rest measured.
 *
 * The levels are rate-controlled on their own, so that a viewer's request hardly raises the bit rate (1.5 → 1.85
 * Mbit/s in the worst level); their pictures are 0.4 to 1.7 dB below level 0's until the next second.
 */

/** Ticks a second of all picture times: the RTP clock of video (RFC 7741 section 4.1). */
export const TICKS_PER_SECOND = 90_000;

/** Levels of a layer: 0 is the whole stream, with one keyframe a second. */
export const LEVELS = [0, 1, 2, 3] as const;

/** Ticks of a cell of a level. */
export function cellTicks(level: number): number {
  return TICKS_PER_SECOND / 2 ** level;
}

/**
 * Filters that leave of a layer what its level holds, packed so that rate control sees no gaps. Levels above 0 begin
 * with one picture more, at time 0: ffmpeg counts the time of `-force_key_frames` from a stream's first picture
 * (ffmpeg 5 `do_video_out`, 6 and later `forced_kf_apply`), which would otherwise be somewhere in its cell, and the
 * keyframes of all cells would come so much too late.
 */
export function levelFilter(level: number): string {
  if (level === 0) return 'null';
  const cell = cellTicks(level);
  return (
    `select='gt(eq(n,0)+mod(floor(pts/${cell}),2),0)',` +
    `setpts='if(eq(N,0),0,PTS-(floor(PTS/${cell})-1)/2*${cell})'`
  );
}

/**
 * The time of a picture, from its time in the packed stream of its level; `undefined` for the one that is not of the
 * level.
 */
export function unpackTicks(level: number, packed: number): number | undefined {
  if (level === 0) return packed;
  const cell = cellTicks(level);
  const index = Math.floor(packed / cell);
  return index === 0 ? undefined : packed + (index - 1) * cell;
}

/** ffmpeg's `-force_key_frames` for a level: the first picture of each cell, in packed time. */
export function keyFrameExpression(level: number): string {
  // Half a tick keeps a time that is a little below its cell, by rounding in the expression, out of the cell before.
  const cellOf = (time: string) => `floor((${time}+0.000005)*${2 ** level})`;
  return `expr:isnan(prev_forced_t)+gt(${cellOf('t')},${cellOf('prev_forced_t')})`;
}
