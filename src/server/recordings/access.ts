/** Who may see a recording, and who may say who may. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { MeetError } from '../../protocol/errors.ts';
import type { Claims } from '../auth/tokens.ts';
import { runsMeeting } from '../meetings/policy.ts';
import type { Meeting, Recording, Store } from '../store/index.ts';

/** What somebody stands to a recording; each may do what the ones after it may. */
export type RecordingStanding =
  /** Changes who sees it, and deletes it. */
  | 'manages'
  | 'sees'
  /** Was in the meeting, and knows that it was recorded. */
  | 'knows'
  | 'stranger';

/** Who asks: by a token, by the link, or by nothing. */
export interface RecordingCaller {
  readonly claims: Claims | undefined;
  readonly link: string | undefined;
}

export class RecordingAccess {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  async standing(
    recording: Recording,
    { claims, link }: RecordingCaller,
    meeting: Meeting | undefined,
  ): Promise<RecordingStanding> {
    const inMeeting = await this.#inMeeting(recording.meetingId, claims, meeting);
    if (inMeeting === 'host') return 'manages';
    if (inMeeting === 'co-host' || this.#isShared(recording, claims, link)) return 'sees';
    if (inMeeting === 'participant') return recording.access.scope === 'hosts' ? 'knows' : 'sees';
    return 'stranger';
  }

  /** As what the token's bearer was in the meeting. */
  async #inMeeting(
    meetingId: string,
    claims: Claims | undefined,
    meeting: Meeting | undefined,
  ): Promise<'host' | 'co-host' | 'participant' | undefined> {
    if (claims === undefined || claims.kind === 'recorder') return undefined;
    if (claims.kind === 'host' && claims.meetingId === meetingId) return 'host';
    if (claims.userId !== null && claims.userId === meeting?.hostUserId) return 'host';
    if (claims.kind === 'participant' && claims.meetingId === meetingId) {
      // Who only waited, or was sent out, has not been there.
      const record = await this.#store.participants.get(claims.participantId);
      if (record === undefined || record.leaveReason === 'removed' || record.recorder !== null)
        return undefined;
      return runsMeeting(record.role) ? (record.role as 'host' | 'co-host') : 'participant';
    }
    if (claims.userId !== null && (await this.#store.participants.wasIn(meetingId, claims.userId)))
      return 'participant';
    return undefined;
  }

  #isShared({ access, linkKey }: Recording, claims: Claims | undefined, link: string | undefined): boolean {
    if (claims?.userId && access.userIds.includes(claims.userId)) return true;
    return access.scope === 'link' && linkKey !== null && link !== undefined && same(link, linkKey);
  }
}

/** Compared by their hashes, so that the time it takes says nothing. */
function same(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

/** Strangers do not learn whether it exists. @throws MeetError `recording-not-found`, `forbidden` */
export function requireStanding(standing: RecordingStanding, least: 'manages' | 'sees'): void {
  if (standing === 'manages' || standing === least) return;
  if (standing === 'stranger') throw recordingNotFound();
  throw new MeetError(
    'forbidden',
    standing === 'sees' ? 'Only a host may do this.' : 'The recording is for hosts only.',
    { hint: 'A host may change that: `meet recordings access`.' },
  );
}

export const recordingNotFound = () =>
  new MeetError('recording-not-found', 'There is no such recording.', {
    hint: 'Or it is not for you: a token of a host, or its link, shows it.',
  });
