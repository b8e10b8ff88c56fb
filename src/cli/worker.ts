import { existsSync } from 'node:fs';
import path from 'node:path';
import { PACKAGE_ROOT } from '../package-root.ts';
import type { WorkerProgress } from '../setup/index.ts';
import { type CliContext, isConversation } from './context.ts';
import type { Output } from './output.ts';
import { cacheDir } from './settings.ts';

/** Provides the SFU worker and shows how it goes; resolves with the binary's path. */
export async function provide(context: CliContext, output: Output): Promise<string> {
  const { formatWorkerProgress, provideWorker } = await import('../setup/index.ts');
  const live = isConversation(context, output);
  let shown = '';
  const onProgress = (progress: WorkerProgress) => {
    output.event('setup', { ...progress });
    const line = formatWorkerProgress(progress);
    if (live) context.stderr.write(`\r\u001b[K${line}`);
    // Without a terminal one line a phase is enough for a log.
    else if (progress.phase !== shown) output.note(line);
    shown = progress.phase;
  };
  try {
    return await provideWorker({
      cacheDir: cacheDir(context),
      workerBin: context.env.MEDIASOUP_WORKER_BIN,
      env: context.env,
      signal: context.interrupted,
      onProgress,
    });
  } finally {
    if (live && shown !== '') context.stderr.write('\r\u001b[K');
  }
}

/** Starts a program in a session of its own; part of util-linux. */
const SETSID = ['/usr/bin/setsid', '/bin/setsid'];

/**
 * The worker to start from a terminal, out of the reach of its Ctrl-C; see the script. Elsewhere, and where there
 * is no setsid, the worker itself.
 */
export function outOfReach(context: CliContext, workerBin: string): string {
  const script = path.join(PACKAGE_ROOT, 'native', 'mediasoup-worker', 'own-session.sh');
  const possible = context.stdin.isTTY === true && SETSID.some(existsSync) && existsSync(script);
  if (!possible) return workerBin;
  // mediasoup hands its environment to the worker and no argument of ours.
  process.env.MEET_WORKER_BIN = workerBin;
  return script;
}
