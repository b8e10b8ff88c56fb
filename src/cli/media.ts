import type { EncodedSource } from '../media/types.ts';
import type { CliContext } from './context.ts';
import { cacheDir } from './settings.ts';

export interface MediaOptions {
  readonly video?: string;
  readonly audio?: string;
  readonly testPattern?: boolean;
  readonly loop?: boolean;
  readonly ffmpeg?: string;
}

/** Opens what the options say to send; `undefined` when they say nothing. */
export async function openSource(
  context: CliContext,
  options: MediaOptions,
): Promise<EncodedSource | undefined> {
  const { video, audio, testPattern } = options;
  if (video === undefined && audio === undefined && !testPattern) return undefined;
  const media = await import('../media/index.ts');
  const ffmpeg = await media.locateFfmpeg(options.ffmpeg === undefined ? {} : { ffmpeg: options.ffmpeg });
  const common = { ffmpeg, cacheDir: cacheDir(context), signal: context.interrupted };
  if (testPattern) return await media.openTestPattern(common);
  return await media.openFile({
    ...common,
    ...(video === undefined ? {} : { video }),
    ...(audio === undefined ? {} : { audio }),
    loop: options.loop === true,
  });
}
