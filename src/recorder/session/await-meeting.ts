import { setTimeout as delay } from 'node:timers/promises';
import { getMeeting, type MeetingAddress } from '../../client/api.ts';
import { MeetError } from '../../protocol/errors.ts';
import type { MeetingInfo } from '../../protocol/model.ts';

/** A meeting that has not started is looked at so often. */
const POLL_INTERVAL_MS = 2_000;

/**
 * Looks the meeting up; with `untilMs` waits until it has started, also while its server cannot be reached.
 *
 * @param untilMs when to give up, on `performance.now()`'s clock; not to wait where it is `undefined`
 * @throws MeetError `nobody-came` when it has not started by then, `meeting-not-found`, `meeting-ended`,
 *   `server-unreachable`
 */
export async function awaitMeeting(
  address: MeetingAddress,
  untilMs: number | undefined,
  signal: AbortSignal,
): Promise<MeetingInfo> {
  for (;;) {
    let unreachable: MeetError | undefined;
    try {
      const meeting = await getMeeting(address, signal);
      if (meeting.status === 'ended') throw new MeetError('meeting-ended', 'The meeting has ended.');
      if (meeting.status !== 'scheduled' || untilMs === undefined) return meeting;
    } catch (cause) {
      const error = MeetError.from(cause);
      if (untilMs === undefined || error.code !== 'server-unreachable' || signal.aborted) throw error;
      unreachable = error;
    }
    const left = untilMs - performance.now();
    if (left <= 0) {
      throw (
        unreachable ?? new MeetError('nobody-came', 'The meeting did not start in the time to wait for it.')
      );
    }
    await delay(Math.min(POLL_INTERVAL_MS, left), undefined, { signal });
  }
}
