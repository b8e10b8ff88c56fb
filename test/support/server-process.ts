/** A server in a process of its own, for tests that kill it; its options come as JSON in the first argument. */
import pino from 'pino';
import type { ServerOptions } from '../../src/server/config.ts';
import { startServer } from '../../src/server/server.ts';

const options = JSON.parse(process.argv[2] ?? '{}') as ServerOptions;
const server = await startServer(options, { logger: pino({ level: 'warn' }, pino.destination(2)) });
process.stdout.write(`${server.url}\n`);
