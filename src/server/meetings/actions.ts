/** Carries out what hosts do: checked, written down, then done, on whichever server the others are. */
import type { Action } from '../../protocol/actions.ts';
import { MeetError } from '../../protocol/errors.ts';
import type { Role } from '../../protocol/model.ts';
import type { AuditLog, Decision } from '../audit/audit-log.ts';
import type { Recordings } from '../recordings/recordings.ts';
import {
  type Meeting,
  type MeetingPatch,
  openMeeting,
  type Participant,
  type Store,
} from '../store/index.ts';
import { somebody } from './access.ts';
import { type Actor, requireAllowed, requireAllowedOn, runsMeeting } from './policy.ts';
import type { Records } from './records.ts';
import type { MeetingSignals } from './signals.ts';
import type { WaitingRoom } from './waiting-room.ts';

export interface HostActionsOptions {
  readonly store: Store;
  readonly audit: AuditLog;
  readonly records: Records;
  readonly signals: MeetingSignals;
  readonly waitingRoom: WaitingRoom;
  readonly recordings: Recordings;
  /** Stores a change of the meeting and tells everyone. */
  readonly change: (meetingId: string, patch: MeetingPatch) => Promise<Meeting>;
  readonly end: (meetingId: string) => Promise<Meeting>;
}

/** What is known of an action when it may be done. */
interface Planned {
  readonly target?: Decision['target'];
  readonly run: () => unknown;
}

export class HostActions {
  readonly #options: HostActionsOptions;

  constructor(options: HostActionsOptions) {
    this.#options = options;
  }

  /** @throws MeetError `forbidden`, `removed`, `not-found`, `meeting-ended` */
  async perform(actor: Actor, action: Action): Promise<void> {
    const { store, audit, records } = this.#options;
    const { meetingId } = actor;
    const { action: name, ...words } = action;
    const detail: Readonly<Record<string, unknown>> = words;
    const decision: Decision = { meetingId, actor: somebody(actor), action: name, detail };
    const { target, run } = await audit.watch(decision, async () => {
      const meeting = openMeeting(await store.meetings.get(meetingId), meetingId);
      requireAllowed(actor, name, meeting.hostUserId);
      // Who has just come or gone is written down behind their backs.
      await records.flush();
      return await this.#plan(actor, action, meeting);
    });
    // Whom it is done to has a place of its own.
    const { participantId: _, ...rest } = detail;
    await audit.allowed({ ...decision, target, detail: rest });
    await run();
  }

  async #plan(actor: Actor, action: Action, meeting: Meeting): Promise<Planned> {
    const { meetingId } = actor;
    const { signals, change, end, waitingRoom, recordings } = this.#options;
    switch (action.action) {
      case 'admit':
      case 'deny':
        return await this.#decide(meetingId, action);
      case 'admit-all':
        return {
          run: async () => {
            const participantIds = (await waitingRoom.takeAll(meetingId)).map(({ id }) => id);
            signals.send(meetingId, { type: 'admit', participantIds });
          },
        };
      case 'lock':
      case 'unlock':
        return { run: () => change(meetingId, { locked: action.action === 'lock' }) };
      case 'unmuting':
        return { run: () => change(meetingId, { unmuting: action.allowed }) };
      case 'screen-sharing':
        return { run: () => change(meetingId, { screenSharing: action.allowed }) };
      case 'several-screens':
        return { run: () => change(meetingId, { severalScreens: action.allowed }) };
      case 'end':
        return { run: () => end(meetingId) };
      case 'start-recording': {
        const { action: _, ...options } = action;
        await recordings.requireStartable(meetingId);
        return { run: () => recordings.start(meeting, options) };
      }
      case 'change-recording': {
        const { action: _, ...change } = action;
        const recording = await recordings.requireRunning(meetingId);
        return { run: () => recordings.change(recording, change) };
      }
      case 'stop-recording': {
        const recording = await recordings.requireRunning(meetingId);
        return { run: () => recordings.stop(recording) };
      }
      case 'unblock':
        return { run: () => this.#options.store.blocks.remove(meetingId, action.participantId) };
      case 'mute-all':
        return {
          run: () =>
            signals.send(meetingId, {
              type: 'mute',
              participantId: null,
              except: actor.participantId === null ? [] : [actor.participantId],
              // A co-host's word is none for hosts.
              exceptRoles: action.exceptHosts
                ? ['host', 'co-host']
                : actor.standing === 'host'
                  ? []
                  : ['host'],
              source: 'microphone',
            }),
        };
      case 'reclaim':
        return await this.#reclaim(actor);
      case 'lower-hand':
        if (action.participantId === undefined) {
          return { run: () => signals.send(meetingId, { type: 'lower-hand', participantId: null }) };
        }
        return await this.#onParticipant(actor, { ...action, participantId: action.participantId });
      default:
        return await this.#onParticipant(actor, action);
    }
  }

  async #decide(
    meetingId: string,
    { action, participantId }: { action: 'admit' | 'deny'; participantId: string },
  ): Promise<Planned> {
    const { signals, waitingRoom } = this.#options;
    const guest = await waitingRoom.find(meetingId, participantId);
    if (guest === undefined) {
      throw new MeetError('not-found', `Nobody waits with the id ${participantId}.`);
    }
    return {
      target: guest,
      run: async () => {
        // Of two hosts who decide at once only one takes the guest out.
        if ((await waitingRoom.take(meetingId, participantId)) === undefined) return;
        if (action === 'deny') signals.send(meetingId, { type: 'deny', participantId });
        else signals.send(meetingId, { type: 'admit', participantIds: [participantId] });
      },
    };
  }

  async #onParticipant(
    actor: Actor,
    action: Extract<Action, { participantId: string }> | { action: 'lower-hand'; participantId: string },
  ): Promise<Planned> {
    const { meetingId } = actor;
    const { store, signals } = this.#options;
    const { participantId } = action;
    const found = await store.participants.get(participantId);
    if (found?.meetingId !== meetingId || found.leftAt !== null) {
      throw new MeetError('not-found', `Nobody in the meeting has the id ${participantId}.`);
    }
    requireAllowedOn(actor, action.action, found.role);
    const target = { id: found.id, name: found.displayName };
    switch (action.action) {
      case 'mute': {
        const { source = 'microphone' } = action;
        const one = { participantId, except: [], exceptRoles: [], source };
        return { target, run: () => signals.send(meetingId, { type: 'mute', ...one }) };
      }
      case 'ask-unmute': {
        const { source = 'microphone' } = action;
        const asked = { participantId, by: actor.participantId, source };
        return { target, run: () => signals.send(meetingId, { type: 'ask-unmute', ...asked }) };
      }
      case 'stop-share':
        return {
          target,
          run: () => signals.send(meetingId, { type: 'stop-share', participantId, by: actor.participantId }),
        };
      case 'lower-hand':
        return { target, run: () => signals.send(meetingId, { type: 'lower-hand', participantId }) };
      case 'remove':
        if (participantId === actor.participantId) {
          throw new MeetError('bad-request', 'You cannot remove yourself; leave instead.');
        }
        return { target, run: () => this.#remove(found, action.block === true) };
      case 'promote':
        requireRole(found, 'participant');
        return { target, run: () => this.#setRoles(meetingId, { [participantId]: 'co-host' }) };
      case 'demote':
        requireRole(found, 'co-host');
        return { target, run: () => this.#setRoles(meetingId, { [participantId]: 'participant' }) };
      case 'hand-over':
        return { target, run: () => this.#makeHosts(meetingId, [participantId]) };
      default:
        throw new MeetError('internal', 'There is no such action.');
    }
  }

  async #remove(participant: Participant, block: boolean): Promise<void> {
    const { store, signals } = this.#options;
    const { id, meetingId, userId, address } = participant;
    if (block) {
      const who = { userId, address: userId === null ? address : null };
      await store.blocks.add({ meetingId, participantId: id, ...who, createdAt: Date.now() });
    }
    await store.participants.leave(id, 'removed');
    signals.send(meetingId, { type: 'remove', participantId: id });
  }

  async #reclaim({ meetingId, userId, participantId }: Actor): Promise<Planned> {
    const present = await this.#options.store.participants.listPresent(meetingId);
    const theirs = present.filter((one) => one.userId !== null && one.userId === userId).map(({ id }) => id);
    if (theirs.length === 0) {
      throw new MeetError('not-found', "The meeting's creator is not in it.", { hint: 'Join it first.' });
    }
    const hosts = participantId !== null && theirs.includes(participantId) ? [participantId] : theirs;
    return { run: () => this.#makeHosts(meetingId, hosts) };
  }

  /** Makes these the hosts, and who was host before a co-host. */
  async #makeHosts(meetingId: string, ids: readonly string[]): Promise<void> {
    const present = await this.#options.store.participants.listPresent(meetingId);
    const before = present.filter(({ id, role }) => role === 'host' && !ids.includes(id));
    await this.#setRoles(meetingId, {
      ...Object.fromEntries(before.map(({ id }) => [id, 'co-host' as const])),
      ...Object.fromEntries(ids.map((id) => [id, 'host' as const])),
    });
  }

  /** The role is the participant's, also when it comes back after all servers have restarted. */
  async #setRoles(meetingId: string, roles: Readonly<Record<string, Role>>): Promise<void> {
    const { store, signals } = this.#options;
    for (const [id, role] of Object.entries(roles)) await store.participants.update(id, { role });
    signals.send(meetingId, { type: 'roles', roles });
  }
}

function requireRole({ role, displayName }: Participant, expected: Role): void {
  if (role === expected) return;
  const what = runsMeeting(role) ? `already ${role === 'host' ? 'a host' : 'a co-host'}` : 'no co-host';
  throw new MeetError('bad-request', `${displayName} is ${what}.`);
}
