import { listAudit, resolveMeeting } from '../../client/api.ts';
import { harmless } from '../../client/chat/text.ts';
import type { AuditEntry } from '../../protocol/audit.ts';
import { EXIT, MeetError } from '../../protocol/errors.ts';
import type { AuditOptions } from '../commands/audit.ts';
import type { Deps } from './access.ts';

/** As much as a server gives at once. */
const PAGE = 1_000;

/** Prints the audit log of a meeting. */
export async function runAudit(
  { context, output }: Deps,
  meeting: string,
  options: AuditOptions,
): Promise<number> {
  const address = resolveMeeting(meeting, options.server);
  const { hostToken: token } = options;
  if (token === undefined) {
    throw new MeetError('bad-config', 'The audit log is for hosts.', {
      hint: 'Give the host token with --host-token or in MEET_HOST_TOKEN.',
    });
  }
  let after = 0;
  for (;;) {
    const query = { after, limit: PAGE };
    const { entries, more } = await listAudit(address, query, { token, signal: context.interrupted });
    for (const entry of entries) output.result(entry, describe(entry));
    after = entries.at(-1)?.id ?? after;
    if (!more) return EXIT.done;
  }
}

function describe({ at, actor, action, target, outcome, code, detail }: AuditEntry): string {
  const time = new Date(at).toISOString().replace('T', ' ').slice(0, 19);
  const who = actor.name ?? actor.userId ?? actor.address ?? 'the server';
  return [
    time,
    `${harmless(who)}${actor.role === null ? '' : ` (${actor.role})`}`,
    action,
    ...(target === null ? [] : [harmless(target.name ?? target.participantId)]),
    ...(detail === null ? [] : [harmless(JSON.stringify(detail))]),
    ...(outcome === 'refused' ? [`refused: ${code}`] : []),
  ].join('  ');
}
