import { Option } from 'commander';
import type { OutputOptions } from '../context.ts';
import { parseDuration, parsePort } from '../parse.ts';
import type { Registry } from '../program.ts';

export interface DemoOptions extends OutputOptions {
  readonly port: number;
  readonly duration?: number;
  readonly ffmpeg?: string;
}

export function registerDemo({ command, action }: Registry): void {
  const demo = command('demo', 'start a server and a meeting with two participants, to see it work')
    .option('--port <port>', 'HTTP port, 0 for any free one', parsePort, 0)
    .option('--duration <time>', 'stop after this time', parseDuration)
    .addOption(new Option('--ffmpeg <path>', 'ffmpeg to use').env('MEET_FFMPEG'));
  action<DemoOptions>(demo, async (deps, options) => {
    const { runDemo } = await import('../demo.ts');
    return await runDemo(deps, options);
  });
}
