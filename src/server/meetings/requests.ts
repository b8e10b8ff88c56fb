/** What those with a token of a meeting ask for, over REST and signaling alike: checked, then answered. */
import type { Action } from '../../protocol/actions.ts';
import type { AuditQuery, AuditReply } from '../../protocol/audit.ts';
import type { ChatMessage, MessagesQuery, MessagesReply, NewChatMessage } from '../../protocol/chat.ts';
import { MeetError } from '../../protocol/errors.ts';
import type { ParticipantInfo } from '../../protocol/model.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import type { Claims } from '../auth/tokens.ts';
import type { Chat } from '../chat/chat.ts';
import type { MeetingRequest, OkPayload } from '../signaling/dispatch.ts';
import { type Meeting, meetingNotFound, type Store } from '../store/index.ts';
import { type MeetingAccess, somebody } from './access.ts';
import type { HostActions } from './actions.ts';
import type { LiveMeeting } from './live-meeting.ts';
import { type Actor, type Deed, requireAllowed, runsMeeting } from './policy.ts';
import { requireReaction } from './reaction.ts';
import type { Records } from './records.ts';
import type { MeetingSignals } from './signals.ts';

export interface MeetingRequestsOptions {
  readonly store: Store;
  readonly access: MeetingAccess;
  readonly actions: HostActions;
  readonly chat: Chat;
  readonly audit: AuditLog;
  readonly records: Records;
  readonly signals: MeetingSignals;
  readonly live: (meetingId: string) => LiveMeeting | undefined;
}

export class MeetingRequests {
  readonly #options: MeetingRequestsOptions;

  constructor(options: MeetingRequestsOptions) {
    this.#options = options;
  }

  /** What the bearer of a good token of the meeting is in it. @throws MeetError `meeting-not-found` */
  async actor(meetingId: string, claims: Claims, address: string): Promise<Actor> {
    return await this.#options.access.actor(await this.#meeting(meetingId), claims, address);
  }

  /** @throws MeetError `forbidden`, `removed` */
  async authorize(actor: Actor, deed: Deed): Promise<void> {
    requireAllowed(actor, deed, (await this.#meeting(actor.meetingId)).hostUserId);
  }

  /** The same for what who has joined but not connected may see, too, where nobody has to be let in. */
  async authorizeReading(actor: Actor, deed: Deed): Promise<void> {
    const { waitingRoom, hostUserId } = await this.#meeting(actor.meetingId);
    const early = actor.standing === 'absent' && actor.participantId !== null && !waitingRoom;
    requireAllowed(early ? { ...actor, standing: 'participant' } : actor, deed, hostUserId);
  }

  /** Does what hosts do. @throws MeetError `forbidden`, `removed`, `not-found`, `meeting-ended` */
  act(actor: Actor, action: Action): Promise<void> {
    return this.#options.actions.perform(actor, action);
  }

  /** @throws MeetError `forbidden`, `removed`, and as `Chat.send` */
  async say(actor: Actor, message: NewChatMessage): Promise<ChatMessage> {
    const senderId = await this.sender(actor, 'send-message');
    return await this.#options.chat.send(actor.meetingId, senderId, message);
  }

  /** @throws MeetError `forbidden`, `removed` */
  async messages(actor: Actor, query: MessagesQuery): Promise<MessagesReply> {
    await this.authorizeReading(actor, 'read-messages');
    return await this.#options.chat.page(actor.meetingId, actor.participantId, query);
  }

  /**
   * Who is in the meeting now, and for hosts who waits.
   *
   * @throws MeetError `removed`; `forbidden` for one who has not been let in
   */
  async participants(actor: Actor): Promise<ParticipantInfo[]> {
    await this.authorizeReading(actor, 'list-participants');
    const live = this.#options.live(actor.meetingId);
    return live?.participants(runsMeeting(actor.standing) ? 'hosts' : 'everyone') ?? [];
  }

  /** @throws MeetError `forbidden`, `removed` */
  async audit(actor: Actor, query: AuditQuery): Promise<AuditReply> {
    const { audit } = this.#options;
    const decision = { meetingId: actor.meetingId, actor: somebody(actor), action: 'read-audit' };
    await audit.watch(decision, () => this.authorize(actor, 'read-audit'));
    return await audit.page(actor.meetingId, query);
  }

  /** Answers a request that came over signaling. */
  async handle(actor: Actor, request: MeetingRequest): Promise<OkPayload> {
    switch (request.type) {
      case 'message':
        return { message: await this.say(actor, request.payload) };
      case 'messages':
        return { page: await this.messages(actor, request.payload) };
      case 'reaction':
        this.#react(actor, request.payload.reaction);
        return {};
      case 'action':
        await this.act(actor, request.payload);
        return {};
    }
  }

  #react(actor: Actor, reaction: string): void {
    const participantId = this.#sender(actor, 'react');
    requireReaction(reaction);
    this.#options.chat.takeTurn(participantId);
    this.#options.signals.send(actor.meetingId, { type: 'reaction', participantId, reaction });
  }

  /**
   * The id of the participant who does something that others see, once its record is there to refer to.
   *
   * @throws MeetError `forbidden`, `removed`
   */
  async sender(actor: Actor, deed: Deed): Promise<string> {
    const id = this.#sender(actor, deed);
    await this.#options.records.flush();
    return id;
  }

  #sender(actor: Actor, deed: Deed): string {
    requireAllowed(actor, deed, null);
    if (actor.participantId !== null) return actor.participantId;
    throw new MeetError('forbidden', 'A host token is no participant.', {
      hint: 'Join the meeting with it first.',
    });
  }

  async #meeting(meetingId: string): Promise<Meeting> {
    const meeting = await this.#options.store.meetings.get(meetingId);
    if (meeting === undefined) throw meetingNotFound(meetingId);
    return meeting;
  }
}
