import type { EncodedSource, VideoCodec } from '../media/types.ts';
import type { CliContext } from './context.ts';
import { cacheDir } from './settings.ts';

export interface MediaOptions {
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
