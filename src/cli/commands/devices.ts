import { Option } from 'commander';
import type { OutputOptions } from '../context.ts';
import type { Registry } from '../program.ts';

export interface DevicesOptions extends OutputOptions {
  readonly display?: string;
  readonly ffmpeg?: string;
}

export function registerDevices({ command, action }: Registry): void {
  const devices = command(
    'devices',
    'list cameras, microphones, screens and windows, and the option for each',
  )
    .option('--display <display>', 'X display to look at, such as :0; default $DISPLAY')
    .addOption(new Option('--ffmpeg <path>', 'ffmpeg to use').env('MEET_FFMPEG'));
  action<DevicesOptions>(devices, async (deps, options) => {
    const { runDevices } = await import('../share/devices.ts');
    return await runDevices(deps, options);
  });
}
