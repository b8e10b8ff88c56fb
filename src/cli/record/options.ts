import { InvalidArgumentError } from 'commander';
import { MeetError } from '../../protocol/errors.ts';
import type { LayoutName, RecordingFormat } from '../../protocol/recording.ts';
import type { RecordingOptions } from '../../recorder/types.ts';
import type { RecordCommandOptions } from '../commands/record.ts';

export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

const LAYOUTS: readonly LayoutName[] = ['gallery', 'speaker', 'spotlight'];
const FORMATS: readonly RecordingFormat[] = ['mp4', 'webm', 'm4a'];

export { FORMATS, LAYOUTS };

/** `1280x720`: both even, from 160x90 to 3840x2160. */
export function parsePictureSize(text: string): PictureSize {
  const [, width = 0, height = 0] = (/^(\d{2,4})x(\d{2,4})$/.exec(text.trim()) ?? []).map(Number);
  const fits = width >= 160 && width <= 3840 && height >= 90 && height <= 2160;
  if (!fits || width % 2 !== 0 || height % 2 !== 0)
    throw new InvalidArgumentError(
      'Give width and height, both even, from 160x90 to 3840x2160, as 1280x720.',
    );
  return { width, height };
}

/** `2M`, `2.5M`, `800k` or bits a second. */
export function parseBitrate(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([kM])?$/.exec(text.trim());
  const bitrate = Math.round(Number(match?.[1]) * ({ k: 1_000, M: 1_000_000 }[match?.[2] ?? ''] ?? 1));
  if (!(bitrate >= 100_000 && bitrate <= 20_000_000))
    throw new InvalidArgumentError('Give a rate from 100k to 20M bits a second, such as 2.5M.');
  return bitrate;
}

/**
 * How the recording is to look, as its folder keeps it.
 *
 * @throws MeetError `bad-config` for options that exclude each other
 */
export function recordingOptions(options: RecordCommandOptions): RecordingOptions {
  const { layout, pin, size, fps, bitrate, clock = false, tracksOnly = false, audioOnly = false } = options;
  if (audioOnly && options.format !== undefined && options.format !== 'm4a')
    throw new MeetError('bad-config', `--audio-only makes an M4A file, and not ${options.format}.`);
  if (tracksOnly && options.out !== undefined)
    throw new MeetError('bad-config', '--tracks-only makes no file that --out could take.');
  return {
    layout,
    ...(pin === undefined ? {} : { pin }),
    ...size,
    fps,
    bitrate,
    format: options.format ?? (audioOnly ? 'm4a' : 'mp4'),
    clock,
    tracksOnly,
  };
}
