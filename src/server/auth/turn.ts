/** Time-limited TURN credentials (draft-uberti-behave-turn-rest-00), as coturn's `use-auth-secret` checks them. */
import { createHmac } from 'node:crypto';
import type { IceServer } from '../../protocol/model.ts';
import type { TurnConfig } from '../config.ts';

/** The ICE servers of a participant: empty without TURN, since the SFU itself is reachable as it is. */
export function iceServersFor(
  turn: TurnConfig | undefined,
  participantId: string,
  now = Date.now(),
): IceServer[] {
  if (turn === undefined) return [];
  const username = `${Math.floor(now / 1000) + turn.ttlSeconds}:${participantId}`;
  const credential = createHmac('sha1', turn.secret).update(username).digest('base64');
  return [{ urls: [...turn.urls], username, credential }];
}
