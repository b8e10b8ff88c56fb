/** REST, signaling and media over IPv6, end to end. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { expect, test } from 'vitest';
import { createMeeting } from '../../src/client/api.ts';
import { joinMeeting } from '../../src/client/join.ts';
import { openFile } from '../../src/media/file/open.ts';
import { barcodeClip } from '../support/barcode-clip.ts';
import { receiveFrames } from '../support/frames.ts';
import { mediaCacheDir } from '../support/media-cache.ts';
import { startTestServer } from '../support/server.ts';

const missing = Object.values(networkInterfaces())
  .flat()
  .some((address) => address?.address === '::1')
  ? undefined
  : 'this machine has no ::1';

test.skipIf(missing !== undefined)(
  `a meeting on ::1 ${missing ?? ''}`,
  async () => {
    // Nothing of the meeting may depend on IPv4: the server does not listen on it.
    const server = await startTestServer({ host: '::1' });
    try {
      expect(server.url).toBe(`http://[::1]:${server.port}`);
      const taken = createServer().listen(server.port, '127.0.0.1');
      await once(taken, 'listening');
      taken.close();

      const { meeting } = await createMeeting(server.url, {});
      expect(meeting.url).toBe(`${server.url}/meetings/${meeting.id}`);
      const source = await openFile({
        video: await barcodeClip({ seconds: 10 }),
        cacheDir: mediaCacheDir(),
        loop: true,
      });
      const receiver = await joinMeeting({ meeting: meeting.url, displayName: 'Receiver' });
      const sender = await joinMeeting({ meeting: meeting.url, displayName: 'Sender', source });
      expect(sender.meeting.url).toBe(meeting.url);
      await Promise.all([receiveFrames(receiver, 'video', 20), receiveFrames(receiver, 'audio', 20)]);
      await Promise.all([sender.leave(), receiver.leave()]);
    } finally {
      await server.close();
    }
  },
  90_000,
);
