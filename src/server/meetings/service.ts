/** Meetings from their creation to their end: the rules, whichever way a request comes. */
import { randomUUID } from 'node:crypto';
import { MeetError } from '../../protocol/errors.ts';
import type { ParticipantInfo } from '../../protocol/model.ts';
import type { CreateMeetingBody, JoinBody, UpdateMeetingBody } from '../../protocol/rest.ts';
import { CLOSE } from '../../protocol/signaling.ts';
import { type Claims, requireMeeting, type Tokens } from '../auth/tokens.ts';
import { iceServersFor } from '../auth/turn.ts';
import type { ServerConfig, ServerLogger } from '../config.ts';
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
import { LiveMeeting } from './live-meeting.ts';
import { type HeldMeeting, LiveMeetings } from './live-meetings.ts';
import { PasswordCheck } from './password-check.ts';
import { Records } from './records.ts';

export interface MeetingServiceOptions {
  readonly config: ServerConfig;
  readonly store: Store;
  /** Who this server is among those that share the store. */
  readonly serverId: string;
  readonly sfu: Sfu;
  readonly tokens: Tokens;
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
  readonly #passwords = new PasswordCheck();
  readonly #live: LiveMeetings;
  readonly #restored = Promise.withResolvers<void>();
  #stopping = false;

  constructor(options: MeetingServiceOptions) {
    this.#options = options;
    this.#store = options.store;
    this.#records = new Records(options);
    this.#live = new LiveMeetings((meetingId) => this.#open(meetingId));
    this.#restored.promise.catch(() => {});
  }

  get stopping(): boolean {
    return this.#stopping;
  }

  /** Creates a meeting; its host is the user of `claims`, or a new one. */
  async create(body: CreateMeetingBody, claims?: Claims): Promise<{ meeting: Meeting; hostToken: string }> {
    const { title = null, scheduledTime = null, duration = null, settings = {} } = body;
    const passwordHash = settings.password ? await hashPassword(settings.password) : null;
    const userId = claims?.userId ?? (await this.#store.users.create()).id;
    const meeting = await this.#store.meetings.create({
      hostUserId: userId,
      title,
      scheduledTime,
      duration,
      passwordHash,
      waitingRoom: settings.waitingRoom ?? false,
      recording: settings.recording ?? false,
    });
    return { meeting, hostToken: await this.#options.tokens.issueHost({ userId, meetingId: meeting.id }) };
  }

  /** @throws MeetError `meeting-not-found` */
  async get(meetingId: string): Promise<Meeting> {
    const meeting = await this.#store.meetings.get(meetingId);
    if (meeting === undefined) throw meetingNotFound(meetingId);
    return meeting;
  }

  /** @throws MeetError `meeting-not-found`, `meeting-ended` */
  async update(meetingId: string, body: UpdateMeetingBody): Promise<Meeting> {
    openMeeting(await this.#store.meetings.get(meetingId), meetingId);
    const { settings = {}, ...rest } = body;
    const { password, ...flags } = settings;
    const patch: MeetingPatch = { ...rest, ...flags };
    if (password !== undefined) patch.passwordHash = password === null ? null : await hashPassword(password);
    const meeting = await this.#store.meetings.update(meetingId, patch);
    if (meeting === undefined) throw meetingNotFound(meetingId);
    this.#live.get(meetingId)?.update(meeting);
    return meeting;
  }

  /** Ends it for everybody and for good; one that has ended stays as it was. */
  async end(meetingId: string): Promise<Meeting> {
    const meeting = await this.#store.meetings.end(meetingId);
    await this.#live.close(meetingId, ENDED);
    return meeting;
  }

  /**
   * Lets someone in; the signaling connection makes them a participant.
   *
   * @param claims of the request's token, which makes its bearer a host and spares them the password
   * @param address of the client, for counting wrong passwords
   * @throws MeetError `server-stopping`, `meeting-not-found`, `meeting-ended`, `meeting-locked`, `wrong-meeting`,
   * `password-required`, `wrong-password`, `rate-limited`
   */
  async join(
    meetingId: string,
    body: JoinBody,
    claims: Claims | undefined,
    address: string,
  ): Promise<Joined> {
    this.#refuseStopping();
    let meeting = openMeeting(await this.#store.meetings.get(meetingId), meetingId);
    if (claims !== undefined) requireMeeting(claims, meetingId);
    const role = claims?.kind === 'host' ? 'host' : (claims?.role ?? 'participant');
    if (role !== 'host') {
      if (meeting.locked) throw new MeetError('meeting-locked', 'The host has locked the meeting.');
      await this.#passwords.check(meeting, body.password, address);
    }
    if (meeting.status === 'scheduled') {
      meeting = await this.#store.meetings.start(meetingId);
      this.#live.get(meetingId)?.update(meeting);
    }
    const identity = {
      id: randomUUID(),
      name: body.displayName,
      role,
      userId: claims?.userId ?? null,
    } as const;
    const { id, name } = identity;
    const state = meeting.waitingRoom && role === 'participant' ? 'waiting' : 'joining';
    return {
      meeting,
      participant: { id, name, role, state, joinedAt: Date.now(), hand: null, tracks: [] },
      ...(await this.#issueCredentials(meetingId, identity)),
    };
  }

  /**
   * Who is in the meeting now, and for hosts who waits.
   *
   * @throws MeetError `meeting-not-found`; `forbidden` for one who has not been let in
   */
  async participants(meetingId: string, claims: Claims): Promise<ParticipantInfo[]> {
    const { waitingRoom } = await this.get(meetingId);
    const live = this.#live.get(meetingId);
    if (claims.kind === 'host' || claims.role !== 'participant') return live?.participants('hosts') ?? [];
    if (waitingRoom && !live?.has(claims.participantId)) {
      throw new MeetError('forbidden', 'A host has to let you in first.');
    }
    return live?.participants('everyone') ?? [];
  }

  /**
   * Checks a token for signaling and keeps the meeting open until the admission is released.
   *
   * @throws MeetError `server-stopping`, `unauthorized`, `token-expired`, `wrong-meeting`, `meeting-not-found`,
   * `meeting-ended`
   */
  async admit(meetingId: string, token: string): Promise<Admission> {
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
    const { participantId: id, name, role, userId, expiresAt } = claims;
    return { ...held, identity: { id, name, role, userId }, tokenExpiresAt: expiresAt };
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
      for (const { id, displayName: name, role, userId, joinedAt } of participants) {
        await store.mediaStreams.endAllOf(id);
        live.restore({ id, name, role, userId }, joinedAt);
      }
      release();
    }
  }

  async #open(meetingId: string): Promise<LiveMeeting> {
    const { config, sfu, tokens, baseUrl, logger } = this.#options;
    const meeting = openMeeting(await this.#store.meetings.get(meetingId), meetingId);
    return new LiveMeeting({
      meeting,
      room: await sfu.createRoom(meetingId),
      baseUrl: baseUrl(),
      records: this.#records,
      issueCredentials: (id, identity) => this.#issueCredentials(id, identity),
      tokenTtlMs: tokens.ttlMs,
      resumeWindowMs: config.timings.resumeWindowMs,
      logger: logger.child({ meetingId }),
    });
  }

  async #issueCredentials(meetingId: string, identity: ParticipantIdentity): Promise<Credentials> {
    const { id: participantId, role, name, userId } = identity;
    const { tokens, config } = this.#options;
    const issued = await tokens.issueParticipant({ participantId, meetingId, role, name, userId });
    return { ...issued, iceServers: iceServersFor(config.turn, participantId) };
  }

  #refuseStopping(): void {
    if (this.#stopping) throw new MeetError('server-stopping', STOPPING.message);
  }
}
