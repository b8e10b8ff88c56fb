import type { Content } from '../../media/capture/content.ts';
import type { ScreenSource } from '../../media/capture/screen-source.ts';
import type { ShareCommandOptions } from '../commands/share.ts';
import type { CliContext } from '../context.ts';

/** What a share is told of while it runs. */
export interface ShareHooks {
  readonly onContent: (content: Content, atMs: number) => void;
}

/** Opens what the options say to share. @throws MeetError */
export async function openShared(
  { env }: CliContext,
  options: ShareCommandOptions,
  { onContent }: ShareHooks,
): Promise<ScreenSource> {
  const { fps, content, maxHeight, codec, ffmpeg, display = env.DISPLAY, window, monitor, region } = options;
  const { openScreen } = await import('../../media/capture/open-screen.ts');
  const { parseRegion } = await import('../../media/capture/target.ts');
  return await openScreen({
    frameRate: fps,
    content,
    codec,
    onContent,
    ...(maxHeight === undefined ? {} : { maxHeight }),
    ...(ffmpeg === undefined ? {} : { ffmpegPath: ffmpeg }),
    ...(env.XAUTHORITY === undefined ? {} : { xauthority: env.XAUTHORITY }),
    target: {
      cursor: options.cursor,
      ...(display === undefined ? {} : { display }),
      ...(window === undefined ? {} : { window }),
      ...(monitor === undefined ? {} : { monitor }),
      ...(region === undefined ? {} : { region: parseRegion(region) }),
    },
  });
}
