/** Keeps what a client receives in files, so that a test can look at the pictures and hear the sound. */
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MeetingClient } from '../../src/client/meeting.ts';
import type { RemoteTrack } from '../../src/client/peer/remote-track.ts';
import type { ReceivedFrame } from '../../src/client/types.ts';
import { TrackFile, type TrackFileSummary } from '../../src/media/save/index.ts';
import type { EncodedSource } from '../../src/media/types.ts';

export interface ReceivedTrack extends TrackFileSummary {
  readonly path: string;
  readonly frames: number;
}

/**
 * Saves the next audio and video track of the meeting until they end. Listen before the sender joins.
 */
export async function saveTracks(
  client: MeetingClient,
  kinds: readonly ('audio' | 'video')[],
  onFrame?: (track: RemoteTrack, frame: ReceivedFrame) => void,
): Promise<Record<'audio' | 'video', ReceivedTrack>> {
  const directory = await mkdtemp(join(tmpdir(), 'meet-received-'));
  const saved = await Promise.all(
    kinds.map(async (kind) => {
      const track = await nextTrack(client, kind);
      const opening = TrackFile.open({
        directory,
        participantName: 'sender',
        source: track.source,
        trackId: track.id,
        codec: track.codec,
      });
      const early: ReceivedFrame[] = [];
      let file: TrackFile | undefined;
      track.on('frame', (frame) => {
        onFrame?.(track, frame);
        if (file) file.write(frame);
        else early.push(frame);
      });
      file = await opening;
      for (const frame of early) file.write(frame);
      if (!track.ended) await once(track, 'ended');
      return [kind, await file.close()] as const;
    }),
  );
  return Object.fromEntries(saved) as Record<'audio' | 'video', ReceivedTrack>;
}

export function nextTrack(client: MeetingClient, kind: 'audio' | 'video'): Promise<RemoteTrack> {
  return new Promise((resolve) => {
    const listener = (track: RemoteTrack) => {
      if (track.kind !== kind) return;
      client.off('track', listener);
      resolve(track);
    };
    client.on('track', listener);
  });
}

/**
 * The SFU begins a new track with every fourth picture, and sends all of them once it has seen all temporal layers:
 * within 150 ms on a quiet machine.
 */
const START_SECONDS = 1;

/** The frames of a track after its beginning, from when on every picture is sent. */
export function afterStart<F extends { readonly pts: number }>(frames: readonly F[]): F[] {
  const began = (frames[0]?.pts ?? 0) + START_SECONDS;
  return frames.filter(({ pts }) => pts >= began);
}

/** The source with only one of its layers sent, so that the server has no other to forward. */
export function onlyLayer(source: EncodedSource, layer: number): EncodedSource {
  return {
    ...(source.video ? { video: source.video } : {}),
    ...(source.audio ? { audio: source.audio } : {}),
    start: (sink) =>
      source.start({
        frame: (frame) => {
          if (frame.kind === 'audio' || frame.layer === layer) sink.frame(frame);
        },
        ended: () => sink.ended(),
        failed: (error) => sink.failed(error),
      }),
    requestKeyFrame: (which) => source.requestKeyFrame(which),
    setLayerActive: (which, active) => source.setLayerActive(which, active),
    close: () => source.close(),
  };
}
