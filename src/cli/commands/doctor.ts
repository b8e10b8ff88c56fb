import { styleText } from 'node:util';
import { Option } from 'commander';
import { harmless } from '../../client/chat/text.ts';
import { EXIT } from '../../protocol/errors.ts';
import type { CliContext, OutputOptions } from '../context.ts';
import type { Output } from '../output.ts';
import { parsePort } from '../parse.ts';
import type { Registry } from '../program.ts';
import { cacheDir } from '../settings.ts';
import { dataOption } from './serve.ts';

interface DoctorOptions extends OutputOptions {
  readonly data: string;
  readonly port?: number;
  readonly ffmpeg?: string;
}

export function registerDoctor({ command, action }: Registry): void {
  const doctor = command('doctor', 'check what this machine has and what it lacks')
    .addOption(dataOption('data folder to look at'))
    .addOption(
      new Option('--port <port>', 'HTTP port to look at (default: 8080)')
        .env('MEET_PORT')
        .argParser(parsePort),
    )
    .addOption(new Option('--ffmpeg <path>', 'ffmpeg to look at').env('MEET_FFMPEG'));
  action<DoctorOptions>(doctor, ({ context, output }, options) => run(context, output, options));
}

const MARK = { ok: 'ok', warning: 'warn', failed: 'FAIL' } as const;
const COLOR = { ok: 'green', warning: 'yellow', failed: 'red' } as const;

async function run(context: CliContext, output: Output, options: DoctorOptions): Promise<number> {
  const { runDoctor } = await import('../../setup/index.ts');
  const checks = await runDoctor({
    dataDir: options.data,
    cacheDir: cacheDir(context),
    signal: context.interrupted,
    port: options.port,
    workerBin: context.env.MEDIASOUP_WORKER_BIN,
    ffmpeg: options.ffmpeg,
  });
  for (const { name, status, message, mend } of checks) {
    output.event('check', { name, status, message, ...(mend === undefined ? {} : { mend }) });
    const mark = MARK[status].padEnd(4);
    output.line(
      `${output.color ? styleText(COLOR[status], mark, { validateStream: false }) : mark}  ${name.padEnd(11)}  ${harmless(message)}`,
    );
    if (mend !== undefined) output.line(`${' '.repeat(19)}${mend}`);
  }
  return checks.some((check) => check.status === 'failed') ? EXIT.failed : EXIT.done;
}
