import type { EncodedSource, VideoCodec } from '../media/types.ts';
import { MeetError } from '../protocol/errors.ts';
import type { CliContext } from './context.ts';
import { type DeviceOptions, openDevices, together } from './devices.ts';
import { cacheDir } from './settings.ts';

export interface MediaOptions extends DeviceOptions {
  readonly video?: string;
  readonly audio?: string;
  readonly testPattern?: boolean;
  readonly loop?: boolean;
  readonly codec?: VideoCodec;
  readonly ffmpeg?: string;
}

/** Opens what the options say to send; `undefined` when they say nothing. */
export async function openSource(
  context: CliContext,
  options: MediaOptions,
): Promise<EncodedSource | undefined> {
  const { camera, codec } = options;
  if (camera && codec !== undefined && codec !== 'vp8' && codec !== 'vp9') {
    throw new MeetError('bad-config', `A camera is not encoded as ${codec.toUpperCase()}.`, {
      hint: 'Give --codec vp8 or vp9.',
    });
  }
  const file = await openFiles(context, options);
  try {
    const device = await openDevices(options);
    if (!file || !device) return file ?? device;
    // A camera takes the place of a file's picture, a microphone that of its sound.
    return device.video ? await together(device, file) : await together(file, device);
  } catch (error) {
    await file?.close();
    throw error;
  }
}

async function openFiles(context: CliContext, options: MediaOptions): Promise<EncodedSource | undefined> {
  const { video, audio, testPattern } = options;
  if (video === undefined && audio === undefined && !testPattern) return undefined;
  const common = {
    cacheDir: cacheDir(context),
    signal: context.interrupted,
    ...(options.codec === undefined ? {} : { codec: options.codec }),
    ...(options.ffmpeg === undefined ? {} : { ffmpeg: { path: options.ffmpeg } }),
  };
  if (testPattern) {
    const { openTestPattern } = await import('../media/file/test-pattern.ts');
    return await openTestPattern(common);
  }
  const { openFile } = await import('../media/file/open.ts');
  return await openFile({
    ...common,
    ...(video === undefined ? {} : { video }),
    ...(audio === undefined ? {} : { audio }),
    loop: options.loop === true,
  });
}
