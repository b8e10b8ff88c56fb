/** The recorder of the tests, and what the server says of recordings. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, vi } from 'vitest';
import type { LiveRecording, LiveRecordingReply, RecordingInfo } from '../../../src/protocol/recording.ts';
import type { StateUpdate } from '../../../src/protocol/signaling.ts';
import { type MeetingMember, rest } from '../../support/signaling.ts';

export const recorderCommand: readonly string[] = [
  process.execPath,
  fileURLToPath(new URL('../../support/recorder-program.ts', import.meta.url)),
];

interface Server {
  readonly url: string;
}

type Reply = Partial<LiveRecordingReply> & { error?: { code: string } };

/** Calls `/meetings/:id/recording`. */
export async function call(
  { url }: Server,
  method: 'POST' | 'GET' | 'PATCH' | 'DELETE',
  meetingId: string,
  token: string,
  body?: object,
): Promise<{ status: number; body: Reply }> {
  const path = `/meetings/${meetingId}/recording`;
  return await rest<Reply>(url, method, path, { token, ...(body && { body }) });
}

/** The next state-update in which the recording is in this state; `undefined` for none. */
export function seen(
  { client }: MeetingMember,
  state: LiveRecording['state'] | undefined,
): Promise<StateUpdate> {
  return client.state(({ recording }) => recording !== undefined && recording?.state === state);
}

export async function recordingOf({ url }: Server, id: string, token: string): Promise<RecordingInfo> {
  return (await rest<RecordingInfo>(url, 'GET', `/recordings/${id}`, { token })).body;
}

export async function recordingsOf(
  { url }: Server,
  meetingId: string,
  token: string,
): Promise<RecordingInfo[]> {
  const path = `/meetings/${meetingId}/recordings`;
  return (await rest<{ recordings: RecordingInfo[] }>(url, 'GET', path, { token })).body.recordings;
}

/** Resolves with the recording once it is in this status. */
export async function until(
  server: Server,
  id: string,
  token: string,
  status: RecordingInfo['status'],
): Promise<RecordingInfo> {
  const current = () => recordingOf(server, id, token);
  // Unlike expect.poll it may be part of a preparation.
  await vi.waitFor(async () => expect((await current()).status).toBe(status), { timeout: 20_000 });
  return await current();
}

/** What each start of the recorder was started with. */
export async function startsOf(dataDir: string, id: string): Promise<{ pid: number; layout?: string }[]> {
  const text = await readFile(join(dataDir, 'recordings', id, 'starts.jsonl'), 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}
