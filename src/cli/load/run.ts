import { writeFile } from 'node:fs/promises';
import { junitReport, type Progress, type RunResult, runLoad, tableReport } from '../../load/index.ts';
import { htmlReport } from '../../load/report/html.ts';
import { progressLine } from '../../load/report/progress.ts';
import { EXIT, MeetError } from '../../protocol/errors.ts';
import { showLoad } from '../../tui/load.tsx';
import type { LoadCommandOptions } from '../commands/load.ts';
import type { CliContext } from '../context.ts';
import type { Output } from '../output.ts';
import { openDrivers } from './drivers.ts';
import { scenarioOf } from './scenario.ts';

interface Deps {
  readonly context: CliContext;
  readonly output: Output;
}

/** Where nobody looks at a terminal, a line so often, milliseconds. */
const LINE_MS = 5_000;

/** Runs the scenario, reports, and gives the exit code: 5 where a threshold was missed. */
export async function runLoadCommand(
  { context, output }: Deps,
  url: string,
  options: LoadCommandOptions,
): Promise<number> {
  const scenario = await scenarioOf(options);
  await checkFiles(options);
  const drivers = await openDrivers(options);
  const view = watch({ context, output });
  let result: RunResult;
  try {
    result = await runLoad({
      url,
      scenario,
      drivers,
      signal: context.interrupted,
      onProgress: view.show,
      ...(options.password === undefined ? {} : { password: options.password }),
      ...(options.metricsToken === undefined ? {} : { metricsToken: options.metricsToken }),
      ...(options.ffmpeg === undefined ? {} : { ffmpeg: options.ffmpeg }),
    });
  } finally {
    await view.close();
    await Promise.all(drivers.map((driver) => driver.close()));
  }
  await writeReports(options, result);
  output.event('result', { result });
  output.line(tableReport(result));
  return exitCodeOf(result);
}

function exitCodeOf({ valid, interrupted, thresholds }: RunResult): number {
  if (interrupted) return EXIT.interrupted;
  // What an overloaded tester has measured is no verdict on the server.
  if (!valid) return EXIT.failed;
  return thresholds.every(({ passed }) => passed) ? EXIT.done : EXIT.threshold;
}

/** Files that cannot be written are found before the run, not after it. */
async function checkFiles(options: LoadCommandOptions): Promise<void> {
  for (const file of [options.json, options.junit, options.html])
    if (typeof file === 'string') await write(file, '');
}

async function writeReports({ json, junit, html }: LoadCommandOptions, result: RunResult): Promise<void> {
  if (typeof json === 'string') await write(json, `${JSON.stringify(result, null, 2)}\n`);
  if (junit !== undefined) await write(junit, junitReport(result));
  if (html !== undefined) await write(html, await htmlReport(result));
}

async function write(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOSPC') throw new MeetError('disk-full', `There is no space left for ${file}.`, { cause });
    throw new MeetError('no-permission', `The report ${file} cannot be written (${code}).`, { cause });
  }
}

interface Watching {
  readonly show: (progress: Progress) => void;
  close(): Promise<void>;
}

/** A live view on a terminal, a line now and then elsewhere. */
function watch({ context, output }: Deps): Watching {
  if (output.interactive) {
    const live = showLoad(context.stdout as NodeJS.WriteStream);
    return { show: (progress) => live.update(progress), close: () => live.close() };
  }
  let lastMs = Number.NEGATIVE_INFINITY;
  return {
    show: (progress) => {
      if (progress.elapsedMs - lastMs < LINE_MS) return;
      lastMs = progress.elapsedMs;
      output.event('progress', { ...progress });
      output.line(progressLine(progress));
    },
    close: async () => {},
  };
}
