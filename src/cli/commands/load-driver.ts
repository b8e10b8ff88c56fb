import type { OutputOptions } from '../context.ts';
import type { Registry } from '../program.ts';

/** What `load` and `load-agent` start; not for people. */
export function registerLoadDriver({ command, action }: Registry): void {
  const driver = command('load-driver', 'hold bots for a run, as `meet load` says over IPC', {
    hidden: true,
  });
  action<OutputOptions>(driver, async (deps) => {
    const { runLoadDriver } = await import('../load/driver.ts');
    return await runLoadDriver(deps);
  });
}
