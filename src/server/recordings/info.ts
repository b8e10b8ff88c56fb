/** What of a stored recording crosses the wire. */
import type { LiveRecording, RecordingInfo, RecordingState } from '../../protocol/recording.ts';
import type { Recording } from '../store/index.ts';

/** What everybody in the meeting is told; `null` for one that no longer runs. */
export function liveRecording(recording: Recording | undefined): LiveRecording | null {
  if (recording === undefined || recording.status !== 'recording') return null;
  const { id, layout, createdAt, startedAt, wanted, recorder } = recording;
  return {
    id,
    state: stateOf(recording),
    since: startedAt ?? createdAt,
    layout,
    ...(wanted.pin === null ? {} : { pin: wanted.pin }),
    ...(recorder?.diskFull ? { diskFull: true } : {}),
  };
}

function stateOf({ wanted, recorder, startedAt }: Recording): RecordingState {
  if (wanted.stopAt !== null) return 'stopping';
  if (recorder?.recovering) return 'recovering';
  if (wanted.paused) return 'paused';
  return startedAt === null ? 'starting' : 'recording';
}

/** For who may see it; those who manage it also see whom it is shared with. `baseUrl` is the server's URL. */
export function recordingInfo(
  recording: Recording,
  { manages, baseUrl }: { manages: boolean; baseUrl: string },
): RecordingInfo {
  const {
    access,
    files,
    linkKey,
    location: _,
    recorder: __,
    wanted: ___,
    serverId: ____,
    ...rest
  } = recording;
  const { transcript: _____, ...info } = rest;
  return {
    ...info,
    files: files.map(({ name, size, contentType }) => ({ name, size, contentType })),
    access: manages ? access : { scope: access.scope },
    ...(manages && access.scope === 'link' && linkKey !== null
      ? { link: `${baseUrl}/recordings/${recording.id}/watch?link=${linkKey}` }
      : {}),
  };
}
