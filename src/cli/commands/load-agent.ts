import { Option } from 'commander';
import type { OutputOptions } from '../context.ts';
import { parsePort } from '../parse.ts';
import type { Registry } from '../program.ts';

export interface LoadAgentOptions extends OutputOptions {
  readonly host: string;
  readonly port: number;
  readonly secret?: string;
}

export function registerLoadAgent({ command, action }: Registry): void {
  const agent = command('load-agent', 'lend this machine to `meet load --hosts`')
    .option('--host <address>', 'address to listen on', '0.0.0.0')
    .addOption(new Option('--port <port>', 'port to listen on').argParser(parsePort).default(7_900))
    .addOption(
      new Option('--secret <secret>', 'what a run has to know (default: made and printed)').env(
        'MEET_LOAD_SECRET',
      ),
    );
  action<LoadAgentOptions>(agent, async (deps, options) => {
    const { runLoadAgent } = await import('../load/agent.ts');
    return await runLoadAgent(deps, options);
  });
}
