/** The REST calls that a client makes; every reply is checked against the protocol's schemas. */
import Type from 'typebox';
import type { Action } from '../protocol/actions.ts';
import { type AuditQuery, AuditReply } from '../protocol/audit.ts';
import { type MessagesQuery, MessagesReply } from '../protocol/chat.ts';
import { MeetError } from '../protocol/errors.ts';
import { MEETING_ID_PATTERN, MeetingInfo } from '../protocol/model.ts';
import {
  type CreateMeetingBody,
  CreateMeetingReply,
  type JoinBody,
  JoinReply,
  ParticipantsReply,
} from '../protocol/rest.ts';
import { call } from './rest.ts';

export interface MeetingAddress {
  /** Base URL of the server, without a slash at its end. */
  readonly server: string;
  readonly meetingId: string;
}

/**
 * Finds server and id in what a user gives: `https://host/meetings/abc-defg-hij`, or an id and a server.
 *
 * @throws MeetError `bad-config` when it is neither, or an id comes without a server
 */
export function resolveMeeting(meeting: string, server?: string): MeetingAddress {
  if (/^https?:\/\//i.test(meeting)) {
    const url = URL.parse(meeting);
    const match = url?.pathname.match(/^(.*)\/meetings\/([^/]+)\/?$/);
    if (url && match?.[2] && new RegExp(MEETING_ID_PATTERN).test(match[2])) {
      return { server: `${url.origin}${match[1]}`, meetingId: match[2] };
    }
    throw new MeetError('bad-config', `${meeting} is not a meeting's URL.`, {
      hint: 'A meeting\'s URL ends in "/meetings/" and its id.',
    });
  }
  if (!new RegExp(MEETING_ID_PATTERN).test(meeting)) {
    throw new MeetError('bad-config', `"${meeting}" is neither a meeting's URL nor a meeting id.`);
  }
  if (server === undefined) {
    throw new MeetError('bad-config', 'A meeting id needs a server.', {
      hint: 'Give the whole URL, or --server URL, or set MEET_SERVER.',
    });
  }
  return { server: serverUrl(server), meetingId: meeting };
}

/** Checks a server's base URL and takes a slash off its end. */
export function serverUrl(server: string): string {
  const url = URL.parse(server);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new MeetError('bad-config', `"${server}" is not the URL of a server.`, {
      hint: 'It looks like http://host:port or https://host.',
    });
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

/** `POST /meetings`. A token of an earlier meeting keeps the same user as its host. */
export function createMeeting(
  server: string,
  body: CreateMeetingBody,
  options: { token?: string; signal?: AbortSignal } = {},
): Promise<CreateMeetingReply> {
  return call(server, { method: 'POST', path: '/meetings', body, reply: CreateMeetingReply, ...options });
}

/** `GET /meetings/:id`. */
export function getMeeting(address: MeetingAddress, signal?: AbortSignal): Promise<MeetingInfo> {
  return call(address.server, {
    method: 'GET',
    path: `/meetings/${address.meetingId}`,
    reply: MeetingInfo,
    signal,
  });
}

/** `POST /meetings/:id/join`. */
export function requestJoin(
  address: MeetingAddress,
  body: JoinBody,
  options: { token?: string | undefined; signal?: AbortSignal | undefined } = {},
): Promise<JoinReply> {
  return call(address.server, {
    method: 'POST',
    path: `/meetings/${address.meetingId}/join`,
    body,
    reply: JoinReply,
    ...options,
  });
}

const Anything = Type.Unknown();

/** `DELETE /meetings/:id`: ends it for everybody. */
export async function endMeeting(address: MeetingAddress, hostToken: string): Promise<void> {
  await call(address.server, {
    method: 'DELETE',
    path: `/meetings/${address.meetingId}`,
    token: hostToken,
    reply: Anything,
  });
}

/** What the calls below need: whose they are, and an end to waiting. */
export interface TokenOptions {
  /** A host token, or that of a participant who is in the meeting. */
  readonly token: string;
  readonly signal?: AbortSignal | undefined;
}

/** `POST /meetings/:id/actions`: does what hosts do, without being in the meeting. */
export async function performAction(
  { server, meetingId }: MeetingAddress,
  action: Action,
  options: TokenOptions,
): Promise<void> {
  const path = `/meetings/${meetingId}/actions`;
  await call(server, { method: 'POST', path, body: action, reply: Anything, ...options });
}

/** `GET /meetings/:id/participants`; hosts also see who waits. */
export function listParticipants(
  { server, meetingId }: MeetingAddress,
  options: TokenOptions,
): Promise<ParticipantsReply> {
  const path = `/meetings/${meetingId}/participants`;
  return call(server, { method: 'GET', path, reply: ParticipantsReply, ...options });
}

/** `GET /meetings/:id/messages`: those that the token's bearer may see. */
export function listMessages(
  { server, meetingId }: MeetingAddress,
  query: MessagesQuery,
  options: TokenOptions,
): Promise<MessagesReply> {
  const path = `/meetings/${meetingId}/messages${queryString(query)}`;
  return call(server, { method: 'GET', path, reply: MessagesReply, ...options });
}

/** `GET /meetings/:id/audit`, for hosts. */
export function listAudit(
  { server, meetingId }: MeetingAddress,
  query: AuditQuery,
  options: TokenOptions,
): Promise<AuditReply> {
  const path = `/meetings/${meetingId}/audit${queryString(query)}`;
  return call(server, { method: 'GET', path, reply: AuditReply, ...options });
}

function queryString(query: Readonly<Record<string, number | undefined>>): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  if (given.length === 0) return '';
  return `?${new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)]))}`;
}
