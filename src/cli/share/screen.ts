import type { Content } from '../../media/capture/content.ts';
import type { ShareOptions } from '../../media/capture/open-screen.ts';
import type { PageFeed } from '../../media/capture/page-feed.ts';
import type { CameraFeed } from '../../media/device/camera-feed.ts';
import type { EncodedSource } from '../../media/types.ts';
import { MeetError } from '../../protocol/errors.ts';
import type { ShareCommandOptions } from '../commands/share.ts';
import type { CliContext } from '../context.ts';
import { openCameraFeed, openDevices, together } from '../devices.ts';

/** What a share sends. */
export interface Shared {
  readonly screen: EncodedSource;
  /** Camera and microphone beside it. */
  readonly own?: EncodedSource;
  /** Of a document: turns its pages. */
  readonly pages?: PageFeed;
}

/** Opens all that the options say to send. @throws MeetError */
export async function openShared(
  context: CliContext,
  options: ShareCommandOptions,
  onContent: (content: Content, atMs: number) => void,
): Promise<Shared> {
  if (options.pip && options.camera === false) throw new MeetError('bad-config', '--pip needs a camera.');
  const opened: { close(): Promise<unknown> }[] = [];
  const keep = <T extends { close(): Promise<unknown> } | undefined>(source: T): T => {
    if (source) opened.push(source);
    return source;
  };
  try {
    const feed = options.pip || options.camera ? keep(await openCameraFeed(options)) : undefined;
    const overlay = options.pip && feed ? await drawnBy(feed) : undefined;
    const common = commonOptions(options, onContent);
    const shared = await openPicture(context, options, overlay ? { ...common, overlay } : common);
    keep(shared.screen);
    const own = keep(await openDevices(options, feed));
    // The feed of a camera that is only drawn belongs to the screen that it is drawn into.
    const screen = feed && !options.camera ? closing(shared.screen, feed) : shared.screen;
    return { ...shared, screen, ...(own ? { own } : {}) };
  } catch (error) {
    await Promise.all(opened.map((source) => source.close()));
    throw error;
  }
}

function commonOptions(
  { fps, content, maxHeight, codec, ffmpeg }: ShareCommandOptions,
  onContent: (content: Content, atMs: number) => void,
): ShareOptions {
  return {
    frameRate: fps,
    content,
    codec,
    onContent,
    ...(maxHeight === undefined ? {} : { maxHeight }),
    ...(ffmpeg === undefined ? {} : { ffmpegPath: ffmpeg }),
  };
}

async function openPicture(
  context: CliContext,
  options: ShareCommandOptions,
  common: ShareOptions,
): Promise<Pick<Shared, 'screen' | 'pages'>> {
  const { env, stdin } = context;
  const { audio, file, loop = false, ffmpeg } = options;
  if (options.stdin) {
    const { openSharedStream } = await import('../../media/capture/open-file.ts');
    return { screen: await openSharedStream(stdin, options.inputFormat, common) };
  }
  if (file !== undefined) {
    const { openSharedFile } = await import('../../media/capture/open-file.ts');
    const { source, pages, hasSound } = await openSharedFile(file, { ...common, loop });
    if (!hasSound) return { screen: source, ...(pages ? { pages } : {}) };
    const { openFile } = await import('../../media/file/open.ts');
    const sound = await openFile({ audio: file, loop, ...(ffmpeg ? { ffmpeg: { path: ffmpeg } } : {}) });
    return { screen: await together(source, sound) };
  }
  const { openScreen } = await import('../../media/capture/open-screen.ts');
  const { parseRegion } = await import('../../media/capture/target.ts');
  const { display = env.DISPLAY, window, monitor, region, cursor } = options;
  const screen = await openScreen({
    ...common,
    ...(env.XAUTHORITY === undefined ? {} : { xauthority: env.XAUTHORITY }),
    target: {
      cursor,
      ...(display === undefined || display === '' ? {} : { display }),
      ...(window === undefined ? {} : { window }),
      ...(monitor === undefined ? {} : { monitor }),
      ...(region === undefined ? {} : { region: parseRegion(region) }),
    },
  });
  if (!audio) return { screen };
  try {
    return { screen: await together(screen, await openSystemSound(audio, ffmpeg)) };
  } catch (error) {
    await screen.close();
    throw error;
  }
}

async function openSystemSound(
  device: string | true,
  ffmpegPath: string | undefined,
): Promise<EncodedSource> {
  const { openSystemSound: open } = await import('../../media/device/system-sound.ts');
  return await open({
    ...(device === true ? {} : { device }),
    ...(ffmpegPath === undefined ? {} : { ffmpegPath }),
  });
}

async function drawnBy(feed: CameraFeed) {
  const { PictureInPicture } = await import('../../media/capture/pip.ts');
  return new PictureInPicture(feed);
}

/** Closes something with a source. */
function closing(source: EncodedSource, also: CameraFeed): EncodedSource {
  const close = source.close.bind(source);
  return Object.assign(source, { close: async () => void (await Promise.all([close(), also.close()])) });
}
