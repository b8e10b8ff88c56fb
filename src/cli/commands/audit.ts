import type { OutputOptions } from '../context.ts';
import { hostTokenOption } from '../meeting-options.ts';
import type { Registry } from '../program.ts';
import { serverOption } from '../server-option.ts';

export interface AuditOptions extends OutputOptions {
  readonly server: string;
  readonly hostToken?: string;
}

export function registerAudit({ command, action }: Registry): void {
  const audit = command('audit', "print a meeting's log of host actions and of who was let in or refused")
    .argument('<meeting>', "the meeting's URL, or its id on the server")
    .addOption(serverOption())
    .addOption(hostTokenOption());
  action<AuditOptions>(audit, async (deps, options, [meeting = '']) => {
    const { runAudit } = await import('../chat/audit.ts');
    return await runAudit(deps, meeting, options);
  });
}
