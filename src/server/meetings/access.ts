/** Who gets into a meeting, and as what those with a token stand to it. */
import { MeetError } from '../../protocol/errors.ts';
import type { Role } from '../../protocol/model.ts';
import type { AuditLog, Somebody } from '../audit/audit-log.ts';
import { type Claims, STANDALONE_RECORDER } from '../auth/tokens.ts';
import { type Meeting, openMeeting, type Store } from '../store/index.ts';
import { PasswordCheck } from './password-check.ts';
import { type Actor, removed, requireAllowed, type Standing } from './policy.ts';
import type { Records } from './records.ts';
import type { WaitingRoom } from './waiting-room.ts';

/** The actor as the audit log names them. */
export function somebody({ participantId, userId, name, standing, address }: Actor): Somebody {
  const roles: readonly string[] = ['host', 'co-host', 'participant'] satisfies Role[];
  return { participantId, userId, name, role: roles.includes(standing) ? (standing as Role) : null, address };
}

export interface AccessOptions {
  readonly store: Store;
  readonly audit: AuditLog;
  readonly records: Records;
  readonly waitingRoom: WaitingRoom;
}

/** Someone who asks to be let in. */
export interface Applicant {
  readonly meetingId: string;
  readonly name: string;
  readonly password: string | undefined;
  readonly claims: Claims | undefined;
  readonly address: string;
  /** Comes to record. */
  readonly recorder: boolean;
}

/** What someone may come in as. */
export interface Ticket {
  readonly meeting: Meeting;
  readonly role: Role;
  readonly userId: string | null;
  /** The recording that it makes, or `standalone`; `null` for everybody else. */
  readonly recorder: string | null;
}

export class MeetingAccess {
  readonly #options: AccessOptions;
  readonly #passwords = new PasswordCheck();

  constructor(options: AccessOptions) {
    this.#options = options;
  }

  /**
   * Decides whether someone may join, and writes that down.
   *
   * @throws MeetError `meeting-not-found`, `meeting-ended`, `blocked`, `removed`, `meeting-locked`, `password-required`,
   * `wrong-password`, `rate-limited`
   */
  async apply(applicant: Applicant): Promise<Ticket> {
    const { store, audit } = this.#options;
    const { meetingId, name, claims, address } = applicant;
    const meeting = openMeeting(await store.meetings.get(meetingId), meetingId);
    const userId = claims?.userId ?? null;
    const actor: Somebody = { participantId: null, userId, name, role: null, address };
    const recorder = recorderOf(applicant);
    const detail = recorder === null ? {} : { recorder: true };
    const role = await audit.watch({ meetingId, actor, action: 'join', detail }, () =>
      this.#decide(meeting, applicant, userId),
    );
    await audit.allowed({ meetingId, actor: { ...actor, role }, action: 'join', detail });
    // Whoever sent it: a recorder runs nothing.
    return { meeting, role: recorder === null ? role : 'participant', userId, recorder };
  }

  async #decide(
    meeting: Meeting,
    { claims, password, address, recorder }: Applicant,
    userId: string | null,
  ): Promise<Role> {
    // The server's own, which a host asked for.
    if (claims?.kind === 'recorder') return 'participant';
    const role = await this.#roleOf(claims);
    if (recorder) requireAllowed({ standing: role, userId }, 'start-recording', meeting.hostUserId);
    if (role === 'host') return role;
    await this.requireUnblocked(meeting.id, { userId, address });
    if (meeting.locked) throw new MeetError('meeting-locked', 'The host has locked the meeting.');
    // A token that was made for this meeting is an invitation.
    if (claims?.kind !== 'user' || claims.meetingId === null) {
      await this.#passwords.check(meeting, password, address);
    }
    return role;
  }

  /** @throws MeetError `blocked` */
  async requireUnblocked(meetingId: string, who: { userId: string | null; address: string }): Promise<void> {
    if ((await this.#options.store.blocks.find(meetingId, who)) === undefined) return;
    throw new MeetError('blocked', 'A host has blocked you from this meeting.');
  }

  /** The role that a token gives; that of a participant is the one they have now. @throws MeetError `removed` */
  async #roleOf(claims: Claims | undefined): Promise<Role> {
    if (claims === undefined || claims.kind === 'recorder') return 'participant';
    if (claims.kind === 'host') return 'host';
    if (claims.kind === 'user') return claims.role;
    const record = await this.#options.store.participants.get(claims.participantId);
    if (record?.leaveReason === 'removed') throw removed();
    return record?.role ?? claims.role;
  }

  /** As what the bearer of a good token of this meeting asks for something. */
  async actor(meeting: Meeting, claims: Claims, address: string): Promise<Actor> {
    const { id: meetingId } = meeting;
    const { userId } = claims;
    if (claims.kind !== 'participant') {
      const standing = claims.kind === 'host' ? 'host' : 'absent';
      return { meetingId, standing, participantId: null, userId, name: null, address };
    }
    const { participantId, name } = claims;
    const standing = await this.#standing(meetingId, participantId);
    return { meetingId, standing, participantId, userId, name, address };
  }

  async #standing(meetingId: string, participantId: string): Promise<Standing> {
    const { store, records, waitingRoom } = this.#options;
    await records.flush();
    if ((await waitingRoom.find(meetingId, participantId)) !== undefined) return 'waiting';
    const record = await store.participants.get(participantId);
    if (record?.leaveReason === 'removed') return 'removed';
    return record === undefined || record.leftAt !== null ? 'absent' : record.role;
  }
}

const recorderOf = ({ claims, recorder }: Applicant): string | null =>
  claims?.kind === 'recorder' ? claims.recordingId : recorder ? STANDALONE_RECORDER : null;
