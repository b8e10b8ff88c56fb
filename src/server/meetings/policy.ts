/** Who may do what in a meeting: the one place where that is decided. */
import type { ActionName } from '../../protocol/actions.ts';
import { MeetError } from '../../protocol/errors.ts';
import type { Role } from '../../protocol/model.ts';

/** Whoever has a token of a meeting stands to it in one of these ways. */
export type Standing =
  | Role
  /** In the waiting room. */
  | 'waiting'
  /** A host removed them; their token is good for nothing. */
  | 'removed'
  /** Not in the meeting: has left, or has not come yet. */
  | 'absent';

/** Someone who wants to do something in a meeting whose token they have. */
export interface Actor {
  readonly meetingId: string;
  readonly standing: Standing;
  /** `null` for a host token, whose bearer need not be in the meeting. */
  readonly participantId: string | null;
  readonly userId: string | null;
  readonly name: string | null;
  readonly address: string | null;
}

const HOST: readonly Standing[] = ['host'];
const HOSTS: readonly Standing[] = ['host', 'co-host'];
const MEMBERS: readonly Standing[] = ['host', 'co-host', 'participant'];

/** What is done by requests of its own and not by an action. */
export type Deed =
  | 'send-message'
  | 'read-messages'
  | 'react'
  | 'raise-hand'
  | 'send-file'
  | 'fetch-file'
  | 'list-participants'
  | 'update-meeting'
  | 'end-meeting'
  | 'read-recording'
  | 'read-audit';

export const POLICY: Readonly<Record<ActionName | Deed, readonly Standing[]>> = {
  'send-message': MEMBERS,
  'read-messages': MEMBERS,
  react: MEMBERS,
  'raise-hand': MEMBERS,
  'send-file': MEMBERS,
  'fetch-file': MEMBERS,
  'list-participants': MEMBERS,
  admit: HOSTS,
  'admit-all': HOSTS,
  deny: HOSTS,
  lock: HOSTS,
  unlock: HOSTS,
  remove: HOSTS,
  unblock: HOSTS,
  mute: HOSTS,
  'mute-all': HOSTS,
  'ask-unmute': HOSTS,
  unmuting: HOSTS,
  'screen-sharing': HOSTS,
  'several-screens': HOSTS,
  'stop-share': HOSTS,
  'lower-hand': HOSTS,
  promote: HOST,
  demote: HOST,
  'hand-over': HOST,
  'start-recording': HOSTS,
  'change-recording': HOSTS,
  'stop-recording': HOSTS,
  'read-recording': MEMBERS,
  // Only the meeting's creator among them.
  reclaim: MEMBERS,
  end: HOST,
  'update-meeting': HOST,
  'end-meeting': HOST,
  'read-audit': HOST,
};

/** What may not be done to a host by anybody but a host. */
const NOT_TO_A_HOST: readonly ActionName[] = ['remove', 'mute', 'stop-share', 'demote', 'promote'];

/** The error of whom a host removed. */
export function removed(): MeetError {
  return new MeetError('removed', 'A host removed you from the meeting.');
}

/** @throws MeetError `removed`, `forbidden` */
export function requireAllowed(
  { standing, userId }: Pick<Actor, 'standing' | 'userId'>,
  deed: ActionName | Deed,
  creatorId: string | null,
): void {
  if (standing === 'removed') throw removed();
  if (standing === 'waiting') {
    throw new MeetError('forbidden', 'A host has to let you in first.', {
      hint: 'Wait for the state-update in which you have joined.',
    });
  }
  if (standing === 'absent') {
    throw new MeetError('forbidden', 'You are not in the meeting.', {
      hint: 'Connect to its signaling first.',
    });
  }
  if (!POLICY[deed].includes(standing)) {
    throw new MeetError(
      'forbidden',
      `Only a host${POLICY[deed] === HOSTS ? ' or co-host' : ''} may do this.`,
      {
        hint: 'A host may make you one, and the host token that creating the meeting gave is one.',
      },
    );
  }
  if (deed === 'reclaim' && (userId === null || userId !== creatorId)) {
    throw new MeetError('forbidden', "Only the meeting's creator may become its host again.");
  }
}

/** @throws MeetError `forbidden` where a co-host acts on a host */
export function requireAllowedOn(actor: Pick<Actor, 'standing'>, action: ActionName, target: Role): void {
  if (target !== 'host' || actor.standing === 'host' || !NOT_TO_A_HOST.includes(action)) return;
  throw new MeetError('forbidden', 'A co-host cannot do this to a host.');
}

/** Whether a standing is one of those who run the meeting. */
export const runsMeeting = (standing: Standing): boolean => HOSTS.includes(standing);
