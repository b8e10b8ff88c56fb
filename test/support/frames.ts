/** Waiting for received media. */
import { once } from 'node:events';
import type { MeetingClient } from '../../src/client/meeting.ts';

/** Resolves when this many frames of the first track of the kind have come. */
export async function receiveFrames(
  client: MeetingClient,
  kind: 'audio' | 'video',
  count: number,
): Promise<void> {
  const ofKind = () => client.tracks.find((track) => track.kind === kind);
  let track = ofKind();
  while (track === undefined) {
    await once(client, 'track');
    track = ofKind();
  }
  for (let i = 0; i < count; i++) await once(track, 'frame');
}
