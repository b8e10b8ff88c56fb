import { harmless } from '../../client/chat/text.ts';
import { type Device, listDevices } from '../../media/device/list.ts';
import { EXIT } from '../../protocol/errors.ts';
import type { DevicesOptions } from '../commands/devices.ts';
import type { CliContext } from '../context.ts';
import type { Output } from '../output.ts';

const HEADINGS = {
  cameras: 'Cameras (meet join, meet share)',
  microphones: 'Microphones (meet join, meet share)',
  sounds: 'What the machine plays (meet share)',
  screens: 'Screens (meet share)',
  windows: 'Windows (meet share)',
} as const;

/** Lists what can be sent, each with the option that sends it. */
export async function runDevices(
  { context, output }: { context: CliContext; output: Output },
  { display = context.env.DISPLAY, ffmpeg }: DevicesOptions,
): Promise<number> {
  const { XAUTHORITY: xauthority, WAYLAND_DISPLAY: wayland } = context.env;
  const devices = await listDevices({
    wayland: wayland !== undefined && wayland !== '',
    ...(display === undefined || display === '' ? {} : { display }),
    ...(xauthority === undefined ? {} : { xauthority }),
    ...(ffmpeg === undefined ? {} : { ffmpegPath: ffmpeg }),
  });
  output.outcome(devices, textOf(devices));
  return EXIT.done;
}

function textOf(devices: Awaited<ReturnType<typeof listDevices>>): string {
  const sections = Object.entries(HEADINGS).map(([kind, heading]) => {
    const list = devices[kind as keyof typeof HEADINGS];
    return [heading, ...(list.length === 0 ? ['  none found'] : list.map(lineOf))].join('\n');
  });
  return [...sections, ...devices.remarks].join('\n\n');
}

function lineOf({ name, option, place }: Device): string {
  const size = place === undefined ? '' : `  ${place.width}x${place.height}+${place.x}+${place.y}`;
  return `  ${option.map(quoted).join(' ')}  ${harmless(name)}${size}`;
}

/** As a shell takes it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
