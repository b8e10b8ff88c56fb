import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { startAgent } from '../../load/driver/agent.ts';
import { EXIT } from '../../protocol/errors.ts';
import type { LoadAgentOptions } from '../commands/load-agent.ts';
import type { CliContext } from '../context.ts';
import type { Output } from '../output.ts';
import { spawnDriver } from './drivers.ts';

/** Serves runs until it is interrupted. */
export async function runLoadAgent(
  { context, output }: { readonly context: CliContext; readonly output: Output },
  { host, port, secret = randomBytes(18).toString('base64url') }: LoadAgentOptions,
): Promise<number> {
  const agent = await startAgent({
    host,
    port,
    secret,
    cores: availableParallelism(),
    spawn: spawnDriver,
    onDrivers: (count) => {
      output.event('drivers', { count });
      output.line(count === 0 ? 'idle' : `${count} drivers`);
    },
  });
  output.event('listening', { host, port: agent.port, secret, pid: process.pid });
  output.line(`Waiting for runs on ${host}, port ${agent.port}. Their --secret: ${secret}`);
  if (!context.interrupted.aborted) await once(context.interrupted, 'abort');
  await agent.close();
  return EXIT.done;
}
