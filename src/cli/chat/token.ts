import { randomUUID } from 'node:crypto';
import { EXIT, MeetError } from '../../protocol/errors.ts';
import { readTokenKey } from '../../server/auth/key.ts';
import { Tokens } from '../../server/auth/tokens.ts';
import { openStore } from '../../server/store/index.ts';
import type { TokenCommandOptions } from '../commands/token.ts';
import type { Deps } from './access.ts';

/** Prints a token that is signed with the server's key. */
export async function runToken({ output }: Deps, options: TokenCommandOptions): Promise<number> {
  const { role, meeting = null, user = randomUUID(), ttl } = options;
  if (role !== 'participant' && meeting === null) {
    throw new MeetError('bad-config', `A ${role} is one of a meeting.`, {
      hint: 'Name it with --meeting ID.',
    });
  }
  const tokens = new Tokens(await keyOf(options), { ttlMs: ttl, hostTtlMs: ttl });
  const { token, expiresAt } =
    role === 'host' && meeting !== null
      ? await tokens.issueHost({ userId: user, meetingId: meeting })
      : await tokens.issueUser(
          { userId: user, meetingId: meeting, role: role === 'co-host' ? role : 'participant' },
          ttl,
        );
  output.result({ token, expiresAt, userId: user, meetingId: meeting, role }, token);
  return EXIT.done;
}

async function keyOf({ data, tokenKey, databaseUrl }: TokenCommandOptions): Promise<Uint8Array> {
  if (tokenKey !== undefined) return Buffer.from(tokenKey, 'base64');
  if (databaseUrl === undefined) return await readTokenKey(data);
  const store = await openStore({ databaseUrl }, { info() {}, warn() {} });
  try {
    return await readTokenKey(data, store);
  } finally {
    await store.close();
  }
}
