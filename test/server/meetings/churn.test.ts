import { afterAll, beforeAll, test } from 'vitest';
import {
  createMeeting,
  joinMeeting,
  type MeetingClient,
  type RemoteTrack,
} from '../../../src/client/index.ts';
import type { EncodedSource, SourceSink } from '../../../src/media/types.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

/** An Opus frame of silence every 20 ms. */
class Silence implements EncodedSource {
  readonly audio = { codec: 'opus', channels: 1 } as const;
  #timer: NodeJS.Timeout | undefined;

  start(sink: SourceSink): void {
    let timestampUs = 0;
    this.#timer = setInterval(() => {
      const data = Buffer.from([0xf8, 0xff, 0xfe]);
      sink.frame({ kind: 'audio', layer: 0, data, keyframe: true, timestampUs, durationUs: 20_000 });
      timestampUs += 20_000;
    }, 20);
  }

  requestKeyFrame(): void {}

  setLayerActive(): void {}

  close(): Promise<void> {
    clearInterval(this.#timer);
    return Promise.resolve();
  }
}

const join = (meeting: string): Promise<MeetingClient> =>
  joinMeeting({ meeting, displayName: 'Guest', source: new Silence() });

/** A frame of somebody that the condition fits. */
function frameOf(client: MeetingClient, fits: (track: RemoteTrack) => boolean = () => true): Promise<void> {
  return new Promise((resolve) => {
    const listen = (track: RemoteTrack) => {
      if (fits(track)) track.once('frame', () => resolve());
    };
    client.tracks.forEach(listen);
    client.on('track', listen);
  });
}

test('who stays hears newcomers, however many come and go in each other’s way', async () => {
  const { meeting } = await createMeeting(server.url, {});
  const resident = await join(meeting.url);
  let left = 60;
  const visit = async () => {
    while (left-- > 0) {
      const visitor = await join(meeting.url);
      await frameOf(visitor);
      await visitor.leave();
    }
  };
  await Promise.all([visit(), visit(), visit(), visit()]);

  const last = await join(meeting.url);
  await frameOf(resident, (track) => track.participantId === last.self.id);
  await last.leave();
  await resident.leave();
}, 60_000);
