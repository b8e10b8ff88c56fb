import type { CliContext } from './context.ts';
import type { Output } from './output.ts';
import { cacheDir } from './settings.ts';

/** Provides the SFU worker and shows how it goes; resolves with the binary's path. */
export async function provide(context: CliContext, output: Output): Promise<string> {
  const { provideWorker } = await import('../setup/index.ts');
  const live = context.stderr.isTTY === true && !output.json && !output.quiet;
  let shown = '';
  const workerBin = await provideWorker({
    cacheDir: cacheDir(context),
    ...(context.env.MEDIASOUP_WORKER_BIN ? { workerBin: context.env.MEDIASOUP_WORKER_BIN } : {}),
    signal: context.interrupted,
    onProgress: (progress) => {
      output.event('setup', { ...progress });
      const line = describe(progress);
      if (live) context.stderr.write(`\r\u001b[K${line}`);
      // Without a terminal one line a phase is enough for a log.
      else if (progress.phase !== shown) output.note(line);
      shown = progress.phase;
    },
  });
  if (live && shown !== '') context.stderr.write('\r\u001b[K');
  return workerBin;
}

interface Progress {
  readonly phase: string;
  readonly message: string;
  readonly done?: number;
  readonly total?: number;
  readonly etaSeconds?: number;
}

const BAR_CELLS = 24;

function describe({ message, done, total, etaSeconds }: Progress): string {
  if (done === undefined || total === undefined || total === 0) return message;
  const filled = Math.round((done / total) * BAR_CELLS);
  const bar = '█'.repeat(filled) + '░'.repeat(BAR_CELLS - filled);
  const eta = etaSeconds === undefined ? '' : `, about ${Math.ceil(etaSeconds)} s left`;
  return `${message} ${bar} ${done}/${total}${eta}`;
}
