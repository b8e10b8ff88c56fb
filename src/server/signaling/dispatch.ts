/** What each request of a participant does. */
import type { ClientRequest, ServerMessage } from '../../protocol/signaling.ts';
import type { Peer } from '../sfu/index.ts';
import type { Lane } from './requests.ts';

/** Requests that touch the participant's media. */
export type PeerRequest = Extract<
  ClientRequest,
  { type: 'offer' | 'subscribe' | 'ice-restart' | 'state-update' }
>;

/** Requests that touch the meeting. */
export type MeetingRequest = Extract<ClientRequest, { type: 'message' | 'messages' | 'reaction' | 'action' }>;
export type OkPayload = Extract<ServerMessage, { type: 'ok' }>['payload'];

/** Which requests wait for each other: chat does not wait for a slow publish. */
export function laneOf({ type }: PeerRequest | MeetingRequest): Lane | undefined {
  if (type === 'action') return 'host';
  return type === 'message' || type === 'messages' || type === 'reaction' ? undefined : 'media';
}

/**
 * Carries a request out and makes its reply.
 *
 * @throws MeetError as the SFU does: `bad-sdp`, `no-common-codec`, `too-many-streams`, `track-not-found`, …
 */
export async function execute(peer: Peer, request: PeerRequest): Promise<ServerMessage> {
  const { id } = request;
  switch (request.type) {
    case 'offer': {
      const { sdp, tracks } = await peer.publish(request.payload);
      return { type: 'answer', id, payload: { sdp, tracks } };
    }
    case 'subscribe':
      await peer.setSubscription(request.payload);
      return { type: 'ok', id, payload: {} };
    case 'ice-restart':
      await peer.restartIce();
      return { type: 'ok', id, payload: {} };
    case 'state-update':
      for (const { trackId, muted } of request.payload.muted ?? []) await peer.setMuted(trackId, muted);
      return { type: 'ok', id, payload: {} };
  }
}
