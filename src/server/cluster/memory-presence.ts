import type { Json, Presence } from './types.ts';

/** How long a presence that ran out waits to be taken. */
const EXPIRED_KEPT_MS = 10 * 60 * 1000;

interface Present {
  /** JSON text. */
  value: string;
  expiresAt: number;
}

export function memoryPresence(now: () => number): { presence: Presence; sweep: () => void } {
  const meetings = new Map<string, Map<string, Present>>();
  const entries = (meetingId: string) => [...(meetings.get(meetingId) ?? [])];
  const isLive = (present: Present | undefined) => present !== undefined && present.expiresAt > now();
  const remove = (meetingId: string, participantId: string) => {
    const meeting = meetings.get(meetingId);
    meeting?.delete(participantId);
    if (meeting?.size === 0) meetings.delete(meetingId);
  };
  const parsed = (found: [string, Present][]) =>
    new Map(found.map(([id, { value }]) => [id, JSON.parse(value) as Json]));

  const presence: Presence = {
    async enter(meetingId, participantId, value, ttlMs) {
      let meeting = meetings.get(meetingId);
      if (!meeting) {
        meeting = new Map();
        meetings.set(meetingId, meeting);
      }
      const wasThere = isLive(meeting.get(participantId));
      // Who comes back after a time-out comes last; who renews the value keeps the place.
      if (!wasThere) meeting.delete(participantId);
      meeting.set(participantId, { value: JSON.stringify(value), expiresAt: now() + ttlMs });
      return !wasThere;
    },
    async heartbeat(meetingId, participantId, ttlMs) {
      const present = meetings.get(meetingId)?.get(participantId);
      if (!present || !isLive(present)) return false;
      present.expiresAt = now() + ttlMs;
      return true;
    },
    async leave(meetingId, participantId) {
      const wasThere = isLive(meetings.get(meetingId)?.get(participantId));
      remove(meetingId, participantId);
      return wasThere;
    },
    async list(meetingId) {
      return parsed(entries(meetingId).filter(([, present]) => isLive(present)));
    },
    async count(meetingId) {
      return entries(meetingId).filter(([, present]) => isLive(present)).length;
    },
    async takeExpired(meetingId) {
      const expired = entries(meetingId).filter(([, present]) => !isLive(present));
      for (const [id] of expired) remove(meetingId, id);
      return parsed(expired);
    },
  };
  const sweep = () => {
    for (const meetingId of [...meetings.keys()]) {
      for (const [id, present] of entries(meetingId)) {
        if (present.expiresAt + EXPIRED_KEPT_MS <= now()) remove(meetingId, id);
      }
    }
  };
  return { presence, sweep };
}
