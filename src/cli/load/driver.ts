import { ipcChannel, runDriver } from '../../load/index.ts';
import { EXIT, MeetError } from '../../protocol/errors.ts';
import type { CliContext } from '../context.ts';
import { cacheDir } from '../settings.ts';

/** Holds bots until the coordinator says that it is over, or is gone. */
export async function runLoadDriver({ context }: { readonly context: CliContext }): Promise<number> {
  if (!process.connected) {
    throw new MeetError('bad-config', 'meet load-driver is started by meet load.', {
      hint: 'Run: meet load --help',
    });
  }
  await runDriver(ipcChannel(process), { cacheDir: cacheDir(context) });
  // The channel would keep the process alive.
  if (process.connected) process.disconnect();
  return EXIT.done;
}
