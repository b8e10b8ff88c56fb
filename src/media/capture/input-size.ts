import { MeetError } from '../../protocol/errors.ts';
import type { Ffmpeg } from '../ffmpeg/locate.ts';
import { parseVideoSize } from '../ffmpeg/probe.ts';
import { capture } from '../ffmpeg/process.ts';
import { lastMeaningfulLine } from '../ffmpeg/stderr.ts';
import type { CaptureInput } from './arguments.ts';
import type { Size } from './pixels.ts';

/** Devices take seconds to wake up; one that takes longer is not there, milliseconds. */
const OPEN_TIMEOUT_MS = 15_000;

/**
 * The size of the pictures that an input gives after its filters: opened once and closed again.
 *
 * @throws MeetError `device-unusable`
 */
export async function inputSize(
  ffmpeg: Ffmpeg,
  { args, filters }: CaptureInput,
  name = 'The screen',
): Promise<Size> {
  const chain = filters.length === 0 ? [] : ['-vf', filters.join(',')];
  const words = ['-nostdin', '-hide_banner', ...args, ...chain, '-an', '-frames:v', '1', '-f', 'null', '-'];
  const { code, stderr } = await capture(ffmpeg.path, words, { timeoutMs: OPEN_TIMEOUT_MS });
  const output = stderr.slice(Math.max(0, stderr.indexOf('Output #0')));
  const size = parseVideoSize(output);
  if (code === 0 && size) return size;
  throw deviceError(name, stderr);
}

/** Why a device cannot be used, from what ffmpeg said. */
export function deviceError(name: string, stderr: string, cause?: Error): MeetError {
  const options = cause === undefined ? {} : { cause };
  const reason = REASONS.find(([pattern]) => pattern.test(stderr))?.[1];
  const line = lastMeaningfulLine(stderr);
  const message = reason ? `${name} ${reason}` : `${name} cannot be opened${line ? `: ${line}` : ''}.`;
  return new MeetError('device-unusable', message, {
    ...options,
    hint: '`meet devices` lists what there is.',
  });
}

/** What systems say when a device is not to be had. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [
    /device or resource busy|already in use|resource busy|could not run graph/i,
    'is in use by another program.',
  ],
  [
    /permission denied|operation not permitted|not authorized|access is denied/i,
    'may not be used by this user.',
  ],
  [
    /no such (file|device|entity)|cannot find|could not find|not found|no such device or address/i,
    'is not there.',
  ],
];
