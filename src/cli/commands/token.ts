import { Option } from 'commander';
import type { Role } from '../../protocol/model.ts';
import type { OutputOptions } from '../context.ts';
import { parseTtl } from '../parse.ts';
import type { Registry } from '../program.ts';
import { dataOption } from './serve.ts';

export interface TokenCommandOptions extends OutputOptions {
  readonly data: string;
  readonly tokenKey?: string;
  readonly databaseUrl?: string;
  readonly meeting?: string;
  readonly role: Role;
  readonly user?: string;
  readonly ttl: number;
}

export function registerToken({ command, action }: Registry): void {
  const token = command('token', "make a token with the server's key, for scripts")
    .addOption(dataOption('data folder of the server'))
    .addOption(
      new Option('--token-key <base64>', "the server's key, where it was given one").env('MEET_TOKEN_KEY'),
    )
    .addOption(
      new Option('--database-url <url>', "the server's PostgreSQL, where it has one").env('DATABASE_URL'),
    )
    .addOption(new Option('--meeting <id>', 'the meeting it is for; without one it creates meetings'))
    .addOption(
      new Option('--role <role>', 'what its bearer is in the meeting')
        .choices(['host', 'co-host', 'participant'])
        .default('participant'),
    )
    .addOption(new Option('--user <id>', 'the user it stands for (default: a new one)'))
    .addOption(
      new Option('--ttl <time>', 'how long it is good for (30m, 12h, 30d)')
        .argParser(parseTtl)
        .default(3_600_000, '1h'),
    );
  action<TokenCommandOptions>(token, async (deps, options) => {
    const { runToken } = await import('../chat/token.ts');
    return await runToken(deps, options);
  });
}
