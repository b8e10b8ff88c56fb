/** Recordings as people read them. */
import { harmless } from '../../client/chat/text.ts';
import type { RecordingFile, RecordingInfo } from '../../protocol/recording.ts';
import { clockTime, day, duration, size } from '../../tui/chat/format.ts';

/** What is said of recordings of servers and of folders alike. */
export type PrintedRecording = Pick<
  RecordingInfo,
  'id' | 'meetingId' | 'title' | 'createdAt' | 'startedAt' | 'endedAt' | 'durationMs' | 'sizeBytes' | 'error'
> & { readonly status: string };

/** What else may be known of one. */
export interface RecordingDetails
  extends Partial<Pick<RecordingInfo, 'layout' | 'pauses' | 'steps' | 'access' | 'link' | 'expiresAt'>> {
  readonly files?: readonly Pick<RecordingFile, 'name' | 'size'>[];
}

/** One line. */
export function recordingLine(recording: PrintedRecording): string {
  const { id, title, status, createdAt, startedAt, durationMs, sizeBytes } = recording;
  const at = startedAt ?? createdAt;
  return [
    id,
    `${day(at)} ${clockTime(at)}`,
    status,
    durationMs === null ? '-' : duration(durationMs),
    sizeBytes === null ? '-' : size(sizeBytes),
    ...(title === null ? [] : [harmless(title)]),
  ].join('  ');
}

/** All of it, a line for each thing. */
export function recordingLines(recording: PrintedRecording & RecordingDetails): string {
  const {
    meetingId,
    error,
    layout,
    pauses = [],
    files = [],
    steps = [],
    access,
    link,
    expiresAt,
  } = recording;
  return [
    recordingLine(recording),
    `meeting: ${meetingId}`,
    ...(error === null ? [] : [`failed: ${harmless(error)}`]),
    ...(layout === undefined ? [] : [`layout: ${layout}`]),
    ...(pauses.length === 0 ? [] : [`pauses: ${pauses.length}`]),
    ...files.map((file) => `file: ${harmless(file.name)}  ${size(file.size)}`),
    ...steps.map(
      (step) => `step: ${harmless(step.name)}  ${step.state}${step.error ? `  ${harmless(step.error)}` : ''}`,
    ),
    ...(access === undefined
      ? []
      : [`seen by: ${[access.scope, ...(access.userIds ?? [])].map(harmless).join(', ')}`]),
    ...(link === undefined ? [] : [`link: ${link}`]),
    ...(expiresAt ? [`kept until: ${day(expiresAt)}`] : []),
  ].join('\n');
}
