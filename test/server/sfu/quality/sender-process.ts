/** A server and a sender in a process of their own, for tests with network namespaces; prints the meeting's URL. */
import pino from 'pino';
import { createMeeting } from '../../../../src/client/api.ts';
import { joinMeeting } from '../../../../src/client/join.ts';
import { openFile } from '../../../../src/media/file/open.ts';
import type { ServerOptions } from '../../../../src/server/config.ts';
import { startServer } from '../../../../src/server/server.ts';

const [options, clip, cacheDir] = process.argv.slice(2);
const server = await startServer(JSON.parse(options!) as ServerOptions, {
  logger: pino({ level: 'warn' }, pino.destination(2)),
});
const { meeting } = await createMeeting(server.url, {});
const source = await openFile({ video: clip!, cacheDir: cacheDir!, loop: true });
const sender = await joinMeeting({ meeting: meeting.url, displayName: 'Sender', source });
await sender.whenConnected();
process.stdout.write(`${meeting.url}\n`);
