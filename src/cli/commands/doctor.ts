import { EXIT } from '../../protocol/errors.ts';
import type { CliContext, OutputOptions } from '../context.ts';
import type { Output } from '../output.ts';
import type { Registry } from '../program.ts';
import { cacheDir, dataDir } from '../settings.ts';

export function registerDoctor({ command, action }: Registry): void {
  const doctor = command('doctor', 'check what this machine has and what it lacks');
  action<OutputOptions>(doctor, ({ context, output }) => run(context, output));
}

const MARK = { ok: 'ok  ', warning: 'warn', failed: 'FAIL' } as const;

async function run(context: CliContext, output: Output): Promise<number> {
  const { runDoctor } = await import('../../setup/index.ts');
  const checks = await runDoctor({
    dataDir: dataDir(context),
    cacheDir: cacheDir(context),
    ...(context.env.MEDIASOUP_WORKER_BIN ? { workerBin: context.env.MEDIASOUP_WORKER_BIN } : {}),
    ...(context.env.MEET_FFMPEG ? { ffmpeg: context.env.MEET_FFMPEG } : {}),
  });
  for (const check of checks) {
    output.event('check', { ...check });
    output.line(`${MARK[check.status]}  ${check.name.padEnd(14)} ${check.message}`);
    if (check.mend) output.line(`${' '.repeat(21)}${check.mend}`);
  }
  return checks.some((check) => check.status === 'failed') ? EXIT.failed : EXIT.done;
}
