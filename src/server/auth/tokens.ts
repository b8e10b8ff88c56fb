/** Tokens: JWTs (RFC 7519) signed with HMAC-SHA-256. */
import { createSecretKey, type KeyObject, randomUUID } from 'node:crypto';
import { errors, jwtVerify, SignJWT } from 'jose';
import { MeetError } from '../../protocol/errors.ts';
import type { Role } from '../../protocol/model.ts';

const ISSUER = 'meet';
/** Token types (the `typ` of RFC 9068's kind), so that one kind is never taken for the other. */
const HOST_TYPE = 'meet-host+jwt';
const PARTICIPANT_TYPE = 'meet-participant+jwt';
const USER_TYPE = 'meet-user+jwt';
const RECORDER_TYPE = 'meet-recorder+jwt';
/** Longer than any meeting: a recorder that dies near its end still comes back in. */
const RECORDER_TTL_MS = 7 * 24 * 3_600_000;
/** The recorder of somebody else than the server: it makes no recording of the store. */
export const STANDALONE_RECORDER = 'standalone';

/** Makes its bearer a host of the meeting. */
export interface HostClaims {
  readonly kind: 'host';
  readonly userId: string;
  readonly meetingId: string;
}

/** Its bearer is this user, who may create meetings; with a meeting it invites them to that one. */
export interface UserClaims {
  readonly kind: 'user';
  readonly userId: string;
  readonly meetingId: string | null;
  /** What they join that meeting as; `participant` without one. */
  readonly role: 'co-host' | 'participant';
}

/** Its bearer records the meeting for the server. */
export interface RecorderClaims {
  readonly kind: 'recorder';
  readonly recordingId: string;
  readonly meetingId: string;
  readonly userId: null;
}

/** Its bearer is this participant. */
export interface ParticipantClaims {
  readonly kind: 'participant';
  readonly participantId: string;
  readonly meetingId: string;
  readonly role: Role;
  readonly name: string;
  /** Who it is across meetings; `null` for a guest. */
  readonly userId: string | null;
  /** The recording that it makes, or {@link STANDALONE_RECORDER}; `null` for everybody else. */
  readonly recorder: string | null;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

export type Claims = HostClaims | UserClaims | RecorderClaims | ParticipantClaims;

export interface IssuedToken {
  readonly token: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** @throws MeetError `wrong-meeting` when the token is not for this meeting */
export function requireMeeting(claims: Claims, meetingId: string): void {
  if (claims.meetingId === meetingId || (claims.kind === 'user' && claims.meetingId === null)) return;
  throw new MeetError('wrong-meeting', `The token belongs to another meeting than ${meetingId}.`);
}

const ROLES: readonly string[] = ['host', 'co-host', 'participant'] satisfies Role[];

function isRole(value: unknown): value is Role {
  return typeof value === 'string' && ROLES.includes(value);
}

/** Signs and checks tokens with one key. */
export class Tokens {
  readonly #key: KeyObject;
  readonly #ttlMs: number;
  readonly #hostTtlMs: number;

  constructor(key: Uint8Array, options: { ttlMs: number; hostTtlMs: number }) {
    this.#key = createSecretKey(key);
    this.#ttlMs = options.ttlMs;
    this.#hostTtlMs = options.hostTtlMs;
  }

  /** How long participants' tokens are good for, milliseconds. */
  get ttlMs(): number {
    return this.#ttlMs;
  }

  issueHost(
    { userId, meetingId }: { userId: string; meetingId: string },
    ttlMs = this.#hostTtlMs,
  ): Promise<IssuedToken> {
    return this.#sign(HOST_TYPE, userId, ttlMs, { meetingId, role: 'host' });
  }

  issueUser({ userId, meetingId, role }: Omit<UserClaims, 'kind'>, ttlMs: number): Promise<IssuedToken> {
    return this.#sign(USER_TYPE, userId, ttlMs, { ...(meetingId === null ? {} : { meetingId }), role });
  }

  issueRecorder({ recordingId, meetingId }: Omit<RecorderClaims, 'kind' | 'userId'>): Promise<IssuedToken> {
    return this.#sign(RECORDER_TYPE, recordingId, RECORDER_TTL_MS, { meetingId });
  }

  issueParticipant(
    claims: Omit<ParticipantClaims, 'kind' | 'expiresAt' | 'recorder'> & { recorder?: string | null },
  ): Promise<IssuedToken> {
    const { participantId, meetingId, role, name, userId, recorder = null } = claims;
    return this.#sign(PARTICIPANT_TYPE, participantId, this.#ttlMs, {
      ...{ meetingId, role, name, userId },
      ...(recorder === null ? {} : { recorder }),
    });
  }

  async #sign(
    typ: string,
    subject: string,
    ttlMs: number,
    payload: Record<string, unknown>,
  ): Promise<IssuedToken> {
    const now = Date.now();
    // Whole seconds, and never fewer than the lifetime: a token made later never ends in the same second.
    const exp = Math.ceil((now + ttlMs) / 1000);
    const token = await new SignJWT(payload)
      .setProtectedHeader({ alg: 'HS256', typ })
      .setIssuer(ISSUER)
      .setSubject(subject)
      .setIssuedAt(Math.floor(now / 1000))
      .setExpirationTime(exp)
      .setJti(randomUUID())
      .sign(this.#key);
    return { token, expiresAt: exp * 1000 };
  }

  /**
   * Says what a token entitles to.
   *
   * @throws MeetError `token-expired`; `unauthorized` for everything else that is wrong with it
   */
  async verify(token: string): Promise<Claims> {
    try {
      const { payload, protectedHeader } = await jwtVerify(token, this.#key, {
        algorithms: ['HS256'],
        issuer: ISSUER,
        requiredClaims: ['sub', 'exp'],
      });
      const { sub, exp, meetingId, role, name, userId, recorder } = payload;
      if (typeof sub === 'string' && protectedHeader.typ === USER_TYPE) {
        const meeting = typeof meetingId === 'string' ? meetingId : null;
        return {
          kind: 'user',
          userId: sub,
          meetingId: meeting,
          role: meeting !== null && role === 'co-host' ? 'co-host' : 'participant',
        };
      }
      if (typeof sub === 'string' && typeof exp === 'number' && typeof meetingId === 'string') {
        if (protectedHeader.typ === HOST_TYPE) return { kind: 'host', userId: sub, meetingId };
        if (protectedHeader.typ === RECORDER_TYPE)
          return { kind: 'recorder', recordingId: sub, meetingId, userId: null };
        if (protectedHeader.typ === PARTICIPANT_TYPE && typeof name === 'string' && isRole(role)) {
          const user = typeof userId === 'string' ? userId : null;
          return {
            kind: 'participant',
            participantId: sub,
            meetingId,
            role,
            name,
            userId: user,
            recorder: typeof recorder === 'string' ? recorder : null,
            expiresAt: exp * 1000,
          };
        }
      }
      throw new MeetError('unauthorized', 'The token is not one of this server.');
    } catch (error) {
      if (error instanceof MeetError) throw error;
      if (error instanceof errors.JWTExpired) {
        throw new MeetError('token-expired', 'The token has expired.', { hint: 'Join the meeting again.' });
      }
      if (error instanceof errors.JOSEError) {
        throw new MeetError('unauthorized', 'The token is forged or malformed.', { cause: error });
      }
      throw error;
    }
  }
}
