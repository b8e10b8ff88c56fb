import { EXIT } from '../../protocol/errors.ts';
import type { CliContext, OutputOptions } from '../context.ts';
import type { Output } from '../output.ts';
import type { Registry } from '../program.ts';
import { provide } from '../worker.ts';

export function registerSetup({ command, action }: Registry): void {
  const setup = command(
    'setup',
    'provide the SFU worker ahead of the first serve (download, or build from source)',
  );
  action<OutputOptions>(setup, ({ context, output }) => run(context, output));
}

async function run(context: CliContext, output: Output): Promise<number> {
  const workerBin = await provide(context, output);
  output.event('ready', { workerBin });
  output.line(`The SFU worker is ready: ${workerBin}`);
  return EXIT.done;
}
