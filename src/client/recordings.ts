/** The REST calls about recordings; every reply is checked against the protocol's schemas. */
import Type from 'typebox';
import {
  type ChangeRecording,
  LiveRecordingReply,
  type RecordingFileQuery,
  RecordingInfo,
  type RecordingQuery,
  RecordingsReply,
  RecordingUrlReply,
  type StartRecording,
  type UpdateRecordingBody,
} from '../protocol/recording.ts';
import { call } from './rest.ts';

/** A meeting on a server, whose base URL has no slash at its end. */
export interface RecordingAddress {
  readonly server: string;
  readonly meetingId: string;
}

export interface RecordingCallOptions {
  /** Without one only the link of a recording helps. */
  readonly token?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

const pathOf = ({ meetingId }: RecordingAddress) => `/meetings/${meetingId}/recording`;
/** A recorder is a process that has to start. */
const START_TIMEOUT_MS = 30_000;

/** `POST /meetings/:id/recording`. */
export function startRecording(
  address: RecordingAddress,
  body: StartRecording,
  options: RecordingCallOptions,
): Promise<LiveRecordingReply> {
  return call(address.server, {
    ...{ method: 'POST', path: pathOf(address), body, reply: LiveRecordingReply },
    timeoutMs: START_TIMEOUT_MS,
    ...options,
  });
}

/** `GET /meetings/:id/recording`. */
export function getLiveRecording(
  address: RecordingAddress,
  options: RecordingCallOptions,
): Promise<LiveRecordingReply> {
  return call(address.server, {
    ...{ method: 'GET', path: pathOf(address), reply: LiveRecordingReply },
    ...options,
  });
}

/** `PATCH /meetings/:id/recording`. */
export function changeRecording(
  address: RecordingAddress,
  body: ChangeRecording,
  options: RecordingCallOptions,
): Promise<LiveRecordingReply> {
  return call(address.server, {
    ...{ method: 'PATCH', path: pathOf(address), body, reply: LiveRecordingReply },
    ...options,
  });
}

/** `DELETE /meetings/:id/recording`. */
export function stopRecording(
  address: RecordingAddress,
  options: RecordingCallOptions,
): Promise<LiveRecordingReply> {
  return call(address.server, {
    ...{ method: 'DELETE', path: pathOf(address), reply: LiveRecordingReply },
    ...options,
  });
}

/** `GET /meetings/:id/recordings`. */
export function listRecordings(
  { server, meetingId }: RecordingAddress,
  options: RecordingCallOptions,
): Promise<RecordingsReply> {
  const path = `/meetings/${meetingId}/recordings`;
  return call(server, { method: 'GET', path, reply: RecordingsReply, ...options });
}

/** `GET /recordings/:id`. */
export function getRecording(
  server: string,
  id: string,
  query: RecordingQuery,
  options: RecordingCallOptions,
): Promise<RecordingInfo> {
  const path = `/recordings/${id}${queryString(query)}`;
  return call(server, { method: 'GET', path, reply: RecordingInfo, ...options });
}

/** `GET /recordings/:id/url`. */
export function getRecordingUrl(
  server: string,
  id: string,
  query: RecordingFileQuery,
  options: RecordingCallOptions,
): Promise<RecordingUrlReply> {
  const path = `/recordings/${id}/url${queryString(query)}`;
  return call(server, { method: 'GET', path, reply: RecordingUrlReply, ...options });
}

/** `PATCH /recordings/:id`. */
export function updateRecording(
  server: string,
  id: string,
  body: UpdateRecordingBody,
  options: RecordingCallOptions,
): Promise<RecordingInfo> {
  return call(server, { method: 'PATCH', path: `/recordings/${id}`, body, reply: RecordingInfo, ...options });
}

/** `DELETE /recordings/:id`. */
export async function deleteRecording(
  server: string,
  id: string,
  options: RecordingCallOptions,
): Promise<void> {
  await call(server, { method: 'DELETE', path: `/recordings/${id}`, reply: Type.Unknown(), ...options });
}

function queryString(query: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const given = Object.entries(query).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, String(value)]],
  );
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
}
