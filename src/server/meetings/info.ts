/** What of a stored meeting crosses the wire. */
import type { MeetingInfo } from '../../protocol/model.ts';
import type { Meeting } from '../store/index.ts';

/** `baseUrl` is the server's URL as its reader reaches it, without a slash at its end. */
export function meetingInfo(meeting: Meeting, baseUrl: string): MeetingInfo {
  const { id, title, status, scheduledTime, duration, createdAt, startedAt, endedAt } = meeting;
  return {
    id,
    url: `${baseUrl}/meetings/${id}`,
    title,
    status,
    scheduledTime,
    duration,
    createdAt,
    startedAt,
    endedAt,
    settings: {
      hasPassword: meeting.passwordHash !== null,
      waitingRoom: meeting.waitingRoom,
      recording: meeting.recording,
      locked: meeting.locked,
      unmuting: meeting.unmuting,
      screenSharing: meeting.screenSharing,
      severalScreens: meeting.severalScreens,
    },
  };
}
