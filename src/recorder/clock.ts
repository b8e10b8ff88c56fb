/**
 * The recorder's wall clock, milliseconds since the epoch: the one that received frames carry. It follows the
 * machine's monotonic clock from the start of the process on, so that setting the time moves nothing in a recording.
 */
export function wallMs(): number {
  return performance.timeOrigin + performance.now();
}
