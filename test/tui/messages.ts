/** Messages and participants to show. */
import type { ChatMessage } from '../../src/protocol/chat.ts';
import type { ParticipantInfo, TrackInfo } from '../../src/protocol/model.ts';

/** At 12:01 UTC. */
export const AT = Date.UTC(2030, 4, 1, 12, 1);

export function chatMessage(sequence: number, fields: Partial<ChatMessage> = {}): ChatMessage {
  return {
    id: `message-${sequence}`,
    sequence,
    senderId: 'ada',
    senderName: 'Ada',
    recipientId: null,
    recipientName: null,
    content: `text ${sequence}`,
    replyTo: null,
    file: null,
    createdAt: AT,
    clientId: null,
    ...fields,
  };
}

export function participant(name: string, fields: Partial<ParticipantInfo> = {}): ParticipantInfo {
  return {
    id: name.toLowerCase(),
    name,
    role: 'participant',
    state: 'joined',
    joinedAt: 1,
    hand: null,
    tracks: [],
    ...fields,
  };
}

export function trackOf(source: TrackInfo['source'], muted = false): TrackInfo {
  const kind = source === 'camera' || source === 'screen' ? 'video' : 'audio';
  return { id: `track-${source}`, kind, source, codec: kind === 'video' ? 'vp8' : 'opus', muted, layers: 1 };
}
