import type { Ffmpeg } from '../ffmpeg/locate.ts';
import { capture } from '../ffmpeg/process.ts';
import type { CaptureAbilities } from './arguments.ts';

const ANSWER_TIMEOUT_MS = 15_000;

/** Asks an ffmpeg what it can capture. */
export async function captureAbilities({ path }: Ffmpeg): Promise<CaptureAbilities> {
  const ask = async (...args: string[]) =>
    (await capture(path, ['-hide_banner', ...args], { timeoutMs: ANSWER_TIMEOUT_MS })).stdout;
  const [devices, x11grab, filters] = await Promise.all([
    ask('-devices'),
    ask('-h', 'demuxer=x11grab'),
    ask('-filters'),
  ]);
  return {
    devices: parseDevices(devices),
    windowId: /^\s*-window_id\s/m.test(x11grab),
    ddagrab: /^\s*\S+\s+ddagrab\s/m.test(filters),
  };
}

/** Names of the input devices in what `ffmpeg -devices` prints; a row may name several. */
export function parseDevices(output: string): Set<string> {
  const rows = output.matchAll(/^ D[E .]d? *([\w,]+)/gm);
  return new Set(Array.from(rows, ([, names]) => names!.split(',')).flat());
}
