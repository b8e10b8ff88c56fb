/** Meetings from their creation to their end: the rules, whichever way a request comes. */
import { randomUUID } from 'node:crypto';
import { MeetError } from '../../protocol/errors.ts';
import type { ParticipantInfo } from '../../protocol/model.ts';
import type { CreateMeetingBody, JoinBody, UpdateMeetingBody } from '../../protocol/rest.ts';
import { CLOSE } from '../../protocol/signaling.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import { type Claims, type ParticipantClaims, requireMeeting, type Tokens } from '../auth/tokens.ts';
import { iceServersFor } from '../auth/turn.ts';
import type { Chat } from '../chat/chat.ts';
import type { LiveState } from '../cluster/index.ts';
import type { ServerConfig, ServerLogger } from '../config.ts';
import type { Recordings } from '../recordings/recordings.ts';
import type { Sfu } from '../sfu/index.ts';
import type { Farewell, ParticipantIdentity } from '../signaling/session.ts';
import type { Credentials } from '../signaling/token-refresh.ts';
import {
  hashPassword,
  type Meeting,
  type MeetingPatch,
  meetingNotFound,
  openMeeting,
  type Store,
} from '../store/index.ts';
import { MeetingAccess, somebody } from './access.ts';
import { HostActions } from './actions.ts';
import { CreateLimiter } from './create-limiter.ts';
import { type HeldMeeting, LiveMeetings } from './live-meetings.ts';
import { MeetingOpener } from './opening.ts';
import { type Actor, removed, requireAllowed } from './policy.ts';
import { Records } from './records.ts';
import { MeetingRequests } from './requests.ts';
import type { MeetingSignals } from './signals.ts';
import { WaitingRoom } from './waiting-room.ts';

export interface MeetingServiceOptions {
  readonly config: ServerConfig;
  readonly store: Store;
  /** Who this server is among those that share the store. */
  readonly serverId: string;
  readonly sfu: Sfu;
  readonly tokens: Tokens;
  readonly live: LiveState;
  readonly signals: MeetingSignals;
  readonly chat: Chat;
  readonly audit: AuditLog;
  readonly recordings: Recordings;
  /** Base URL in what everyone in a meeting is told alike. */
  readonly baseUrl: () => string;
  readonly logger: ServerLogger;
}

export interface Joined extends Credentials {
  readonly meeting: Meeting;
  readonly participant: ParticipantInfo;
}

/** A participant whose token was found good, on the way in. */
export interface Admission extends HeldMeeting {
  readonly identity: ParticipantIdentity;
  readonly tokenExpiresAt: number;
  /** Where they come from, as limits count it. */
  readonly address: string;
}

const ENDED: Farewell = { code: CLOSE.meetingEnded, reason: 'ended', message: 'The host ended the meeting.' };
const STOPPING: Farewell = {
  code: CLOSE.serverStopping,
  reason: 'server-stopping',
  message: 'The server is shutting down.',
};

export class MeetingService {
  readonly #options: MeetingServiceOptions;
  readonly #store: Store;
  readonly #records: Records;
  readonly #waitingRoom: WaitingRoom;
  readonly #access: MeetingAccess;
  /** What those with a token of a meeting ask for. */
  readonly requests: MeetingRequests;
  readonly #creations: CreateLimiter;
  readonly #live: LiveMeetings;
  readonly #restored = Promise.withResolvers<void>();
  #stopping = false;

  constructor(options: MeetingServiceOptions) {
    this.#options = options;
    this.#store = options.store;
    this.#records = new Records(options);
    this.#waitingRoom = new WaitingRoom(options);
    this.#creations = new CreateLimiter(options.live, options.config);
    const parts = { ...options, records: this.#records, waitingRoom: this.#waitingRoom };
    this.#access = new MeetingAccess(parts);
    const actions = new HostActions({
      ...parts,
      change: (meetingId, patch) => this.#change(meetingId, patch),
      end: (meetingId) => this.#endSoon(meetingId),
    });
    this.requests = new MeetingRequests({
      ...parts,
      actions,
      access: this.#access,
      live: (meetingId) => this.#live.get(meetingId),
    });
    const opener = new MeetingOpener({
      ...parts,
      handle: (actor, request) => this.requests.handle(actor, request),
      issueCredentials: (id, identity) => this.#issueCredentials(id, identity),
      closeEnded: (id) => void this.#live.close(id, ENDED),
    });
    this.#live = new LiveMeetings((meetingId) => opener.open(meetingId));
    this.#restored.promise.catch(() => {});
  }

  get stopping(): boolean {
    return this.#stopping;
  }

  /**
   * Creates a meeting; its host is the user of `claims`, or a new one.
   *
   * @throws MeetError `unauthorized` where only who has a token may, `rate-limited`
   */
  async create(
    body: CreateMeetingBody,
    claims: Claims | undefined,
    address: string,
  ): Promise<{ meeting: Meeting; hostToken: string }> {
    const { title = null, scheduledTime = null, duration = null, settings = {} } = body;
    await this.#creations.take(claims?.userId ?? null, address);
    const { password, ...flags } = settings;
    const passwordHash = password ? await hashPassword(password) : null;
    const { users, meetings } = this.#store;
    const { id: userId } = await (claims?.userId ? users.ensure(claims.userId) : users.create());
    const meeting = await meetings.create({
      hostUserId: userId,
      title,
      scheduledTime,
      duration,
      passwordHash,
      ...flags,
    });
    const actor = { participantId: null, userId, name: null, role: null, address };
    await this.#options.audit.allowed({ meetingId: meeting.id, actor, action: 'create' });
    const { token } = await this.#options.tokens.issueHost({ userId, meetingId: meeting.id });
    return { meeting, hostToken: token };
  }

  /** @throws MeetError `meeting-not-found` */
  async get(meetingId: string): Promise<Meeting> {
    const meeting = await this.#store.meetings.get(meetingId);
    if (meeting === undefined) throw meetingNotFound(meetingId);
    return meeting;
  }

  /** @throws MeetError `forbidden`, `removed`, `meeting-not-found`, `meeting-ended` */
  async update(actor: Actor, body: UpdateMeetingBody): Promise<Meeting> {
    const { meetingId } = actor;
    const { settings = {}, ...rest } = body;
    const { password, ...flags } = settings;
    // The log says that there is another password, and not which.
    const detail = { ...rest, ...flags, ...(password === undefined ? {} : { password: password !== null }) };
    const decision = { meetingId, actor: somebody(actor), action: 'update', detail };
    const patch = await this.#options.audit.watch(decision, async (): Promise<MeetingPatch> => {
      const meeting = openMeeting(await this.#store.meetings.get(meetingId), meetingId);
      requireAllowed(actor, 'update-meeting', meeting.hostUserId);
      if (password === undefined) return { ...rest, ...flags };
      const passwordHash = password === null ? null : await hashPassword(password);
      return { ...rest, ...flags, passwordHash };
    });
    await this.#options.audit.allowed(decision);
    return await this.#change(meetingId, patch);
  }

  async #change(meetingId: string, patch: MeetingPatch): Promise<Meeting> {
    const meeting = await this.#store.meetings.update(meetingId, patch);
    if (meeting === undefined) throw meetingNotFound(meetingId);
    this.#live.get(meetingId)?.update(meeting);
    this.#options.signals.tellOthers(meetingId, { type: 'updated' });
    if (patch.recording === true && this.#live.get(meetingId)?.deserted === false)
      this.#options.recordings.autoStart(meeting);
    return meeting;
  }

  /** The same as the action `end`, where one that has ended stays as it was. @throws MeetError `forbidden`, `removed` */
  async delete(actor: Actor): Promise<Meeting> {
    const { meetingId } = actor;
    const decision = { meetingId, actor: somebody(actor), action: 'end' };
    const { audit } = this.#options;
    await audit.watch(decision, () => this.requests.authorize(actor, 'end-meeting'));
    await audit.allowed(decision);
    return await this.#end(meetingId);
  }

  async #end(meetingId: string): Promise<Meeting> {
    const meeting = await this.#store.meetings.end(meetingId);
    await this.#sendAway(meetingId);
    return meeting;
  }

  /** The host who ends it is told that it is done before its connection closes. */
  async #endSoon(meetingId: string): Promise<Meeting> {
    const meeting = await this.#store.meetings.end(meetingId);
    setImmediate(() => {
      this.#sendAway(meetingId).catch((error: unknown) => {
        this.#options.logger.error({ err: error, meetingId }, 'A meeting that has ended goes on');
      });
    });
    return meeting;
  }

  async #sendAway(meetingId: string): Promise<void> {
    this.#options.recordings.meetingEnded(meetingId);
    this.#options.signals.tellOthers(meetingId, { type: 'ended' });
    await this.#live.close(meetingId, ENDED);
  }

  /**
   * Lets someone in; the signaling connection makes them a participant.
   *
   * @param claims of the request's token, which makes its bearer a host and spares them the password
   * @param address of the client, for counting wrong passwords
   * @throws MeetError `server-stopping`, `meeting-not-found`, `meeting-ended`, `meeting-locked`, `wrong-meeting`,
   * `blocked`, `removed`, `password-required`, `wrong-password`, `rate-limited`
   */
  async join(
    meetingId: string,
    body: JoinBody,
    claims: Claims | undefined,
    address: string,
  ): Promise<Joined> {
    this.#refuseStopping();
    if (claims !== undefined) requireMeeting(claims, meetingId);
    const { displayName: name, password, recorder: records = false } = body;
    const applicant = { meetingId, name, password, claims, address, recorder: records };
    const ticket = await this.#access.apply(applicant);
    const { role, recorder } = ticket;
    let { meeting } = ticket;
    // A recorder may wait for the meeting to begin.
    if (meeting.status === 'scheduled' && recorder === null) {
      meeting = await this.#store.meetings.start(meetingId);
      this.#live.get(meetingId)?.update(meeting);
      this.#options.signals.tellOthers(meetingId, { type: 'updated' });
    }
    if (ticket.userId !== null) await this.#store.users.ensure(ticket.userId);
    const identity = { id: randomUUID(), name, role, userId: ticket.userId, recorder } as const;
    const { id } = identity;
    const waits = meeting.waitingRoom && role === 'participant' && recorder === null;
    const state = waits ? 'waiting' : 'joining';
    const mark = recorder === null ? {} : { recorder: true };
    return {
      meeting,
      participant: { id, name, role, state, joinedAt: Date.now(), hand: null, ...mark, tracks: [] },
      ...(await this.#issueCredentials(meetingId, identity)),
    };
  }

  /**
   * Checks a token for signaling and keeps the meeting open until the admission is released.
   *
   * @throws MeetError `server-stopping`, `unauthorized`, `token-expired`, `wrong-meeting`, `meeting-not-found`,
   * `meeting-ended`, `removed`, `blocked`
   */
  async admit(meetingId: string, token: string, address: string): Promise<Admission> {
    this.#refuseStopping();
    const claims = await this.#options.tokens.verify(token);
    if (claims.kind !== 'participant') {
      throw new MeetError('unauthorized', 'The token is not that of a participant.', {
        hint: 'Join the meeting first: that gives one.',
      });
    }
    // A meeting that does not exist is no other meeting.
    if (claims.meetingId !== meetingId) await this.get(meetingId);
    requireMeeting(claims, meetingId);
    await this.#restored.promise;
    const held = await this.#live.hold(meetingId);
    if (this.#stopping) {
      held.release();
      this.#refuseStopping();
    }
    try {
      const identity = await this.#identify(claims, address);
      // The host's word for somebody who waits finds a place that is taken already.
      if (held.live.waits(identity)) await this.#enterWaitingRoom(meetingId, identity, address);
      return { ...held, identity, address, tokenExpiresAt: claims.expiresAt };
    } catch (error) {
      held.release();
      throw error;
    }
  }

  /** Who the bearer of a participant's token is now. @throws MeetError `removed`, `blocked` */
  async #identify(claims: ParticipantClaims, address: string): Promise<ParticipantIdentity> {
    const { participantId: id, meetingId, name, userId, recorder } = claims;
    const actor = { participantId: id, userId, name, role: claims.role, address };
    return await this.#options.audit.watch({ meetingId, actor, action: 'connect' }, async () => {
      const record = await this.#store.participants.get(id);
      if (record?.leaveReason === 'removed') throw removed();
      const role = record?.role ?? claims.role;
      if (role !== 'host') await this.#access.requireUnblocked(meetingId, { userId, address });
      return { id, name, role, userId, recorder };
    });
  }

  async #enterWaitingRoom(
    meetingId: string,
    { id: participantId, name, role, userId }: ParticipantIdentity,
    address: string,
  ): Promise<void> {
    await this.#waitingRoom.enter(meetingId, { id: participantId, name });
    const actor = { participantId, userId, name, role, address };
    await this.#options.audit.allowed({ meetingId, actor, action: 'wait' });
  }

  /**
   * Keeps a place for those who were in a meeting of this server when it went down without saying so; who does not
   * come back in the resume window has left. Nobody is admitted before it is done.
   */
  async restore(): Promise<void> {
    try {
      await this.#restore();
      this.#restored.resolve();
    } catch (error) {
      this.#restored.reject(error);
      throw error;
    }
  }

  /** Sends everyone away and lets nobody in any more; resolves when it is written down. */
  async close(): Promise<void> {
    this.#stopping = true;
    await this.#live.closeAll(STOPPING);
    await this.#records.flush();
  }

  async #restore(): Promise<void> {
    const { store, serverId } = this.#options;
    const present = Map.groupBy(
      await store.participants.listPresentOn(serverId),
      ({ meetingId }) => meetingId,
    );
    for (const [meetingId, participants] of present) {
      const { live, release } = await this.#live.hold(meetingId);
      for (const { id, displayName: name, role, userId, joinedAt, recorder } of participants) {
        await store.mediaStreams.endAllOf(id);
        live.restore({ id, name, role, userId, recorder }, joinedAt);
      }
      release();
    }
  }

  async #issueCredentials(meetingId: string, identity: ParticipantIdentity): Promise<Credentials> {
    const { id: participantId, role, name, userId, recorder } = identity;
    const { tokens, config } = this.#options;
    const issued = await tokens.issueParticipant({ participantId, meetingId, role, name, userId, recorder });
    return { ...issued, iceServers: iceServersFor(config.turn, participantId) };
  }

  #refuseStopping(): void {
    if (this.#stopping) throw new MeetError('server-stopping', STOPPING.message);
  }
}
