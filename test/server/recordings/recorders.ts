/** The recorder of the tests, and what the server says of recordings. */
import { fileURLToPath } from 'node:url';
import type { RecordingInfo } from '../../../src/protocol/recording.ts';
import { rest } from '../../support/signaling.ts';

export const recorderCommand: readonly string[] = [
  process.execPath,
  fileURLToPath(new URL('../../support/recorder-program.ts', import.meta.url)),
];

export async function recordingOf(
  { url }: { url: string },
  id: string,
  token: string,
): Promise<RecordingInfo> {
  return (await rest<RecordingInfo>(url, 'GET', `/recordings/${id}`, { token })).body;
}

export async function recordingsOf(
  { url }: { url: string },
  meetingId: string,
  token: string,
): Promise<RecordingInfo[]> {
  const path = `/meetings/${meetingId}/recordings`;
  return (await rest<{ recordings: RecordingInfo[] }>(url, 'GET', path, { token })).body.recordings;
}
