import { MeetError } from '../../protocol/errors.ts';
import type { LiveCodec } from '../encode/live-encoder.ts';
import { LiveVideo } from '../encode/live-video.ts';
import { type Ffmpeg, findFfmpeg } from '../ffmpeg/locate.ts';
import { captureAbilities } from './abilities.ts';
import { type ScreenRequest, screenInput } from './arguments.ts';
import type { Content } from './content.ts';
import type { PictureFeed } from './feed.ts';
import { grabCommand } from './grab-command.ts';
import type { GrabCommand } from './grabber.ts';
import { inputSize } from './input-size.ts';
import { screenLayers } from './layers.ts';
import { ScreenFeed } from './screen-feed.ts';
import { type Overlay, ScreenSource } from './screen-source.ts';
import type { ScreenTarget } from './target.ts';
import { X11Connection } from './x11/connection.ts';
import { EVENT, watchWindow } from './x11/requests.ts';
import { findWindow, placeOf } from './x11/target.ts';

/** How a screen is sent, whatever it comes from. */
export interface ShareOptions {
  /** Pictures a second at most; default 30. */
  readonly frameRate?: number;
  readonly content?: Content | 'auto';
  /** Lines of the largest layer at most. */
  readonly maxHeight?: number;
  readonly codec?: LiveCodec;
  readonly ffmpegPath?: string;
  readonly overlay?: Overlay;
  readonly onContent?: (content: Content, atMs: number) => void;
}

export interface OpenScreenOptions extends ShareOptions {
  readonly target: ScreenTarget;
  /** X11: where the server's cookie is, when not in the home folder. */
  readonly xauthority?: string;
  readonly platform?: NodeJS.Platform;
}

const DEFAULT_RATE = 30;
/** Events after which what is shared may be elsewhere, of another size, or gone. */
const KINDS: ReadonlySet<number> = new Set(Object.values(EVENT));

/**
 * Opens a screen, or a part of it, as a source.
 *
 * @throws MeetError `device-unusable`, `bad-config`, `ffmpeg-missing`
 */
export async function openScreen(options: OpenScreenOptions): Promise<ScreenSource> {
  const { platform = process.platform, ffmpegPath, frameRate = DEFAULT_RATE } = options;
  const ffmpeg = await findFfmpeg(ffmpegPath === undefined ? {} : { path: ffmpegPath });
  const opened =
    platform === 'darwin' || platform === 'win32'
      ? await openNative(platform, ffmpeg, options, frameRate)
      : await openX11(ffmpeg, options, frameRate);
  return sourceOf(opened, ffmpeg, options);
}

interface Opened {
  readonly feed: ScreenFeed;
  readonly onClose?: () => Promise<void>;
}

async function openX11(ffmpeg: Ffmpeg, options: OpenScreenOptions, frameRate: number): Promise<Opened> {
  const { target } = options;
  const display = target.display;
  if (display === undefined) {
    throw new MeetError('bad-config', 'There is no display to share.', {
      hint: 'Give one with --display :0, or set DISPLAY; `meet devices` lists what there is.',
    });
  }
  const abilities = await captureAbilities(ffmpeg);
  const connection = await X11Connection.open(display, options.xauthority);
  try {
    const window = target.window === undefined ? undefined : await findWindow(connection, target.window);
    const watched = window ?? connection.root.id;
    const locate = async (rate: number): Promise<GrabCommand | undefined> => {
      const place = await placeOf(connection, target, window, abilities.windowId);
      if (place === undefined) return undefined;
      const { region, windowId } = place;
      const request: ScreenRequest = {
        system: 'x11',
        frameRate: rate,
        cursor: target.cursor,
        display,
        region,
        ...(windowId === undefined ? {} : { windowId }),
      };
      return grabCommand(ffmpeg, screenInput(request, abilities), region);
    };
    watchWindow(connection, watched);
    const feed = await ScreenFeed.open(locate, frameRate);
    connection.on('event', (event) => {
      if (KINDS.has(event[0]!) && event.readUInt32LE(8) === watched) void feed.relocate();
    });
    connection.on('closed', () => void feed.relocate());
    return { feed, onClose: async () => connection.close() };
  } catch (error) {
    connection.close();
    throw error;
  }
}

async function openNative(
  system: 'darwin' | 'win32',
  ffmpeg: Ffmpeg,
  { target }: OpenScreenOptions,
  frameRate: number,
): Promise<Opened> {
  const abilities = await captureAbilities(ffmpeg);
  const { cursor, window, monitor, region } = target;
  const inputAt = (rate: number) =>
    screenInput(
      {
        system,
        frameRate: rate,
        cursor,
        ...(window === undefined ? {} : { windowTitle: window }),
        ...(monitor === undefined ? {} : { monitor }),
        ...(region === undefined ? {} : { region }),
      },
      abilities,
    );
  const size = await inputSize(ffmpeg, inputAt(frameRate));
  return { feed: await ScreenFeed.open(async (rate) => grabCommand(ffmpeg, inputAt(rate), size), frameRate) };
}

/** Puts the encoders behind a feed. */
export function sourceOf(
  { feed, onClose }: { readonly feed: PictureFeed; readonly onClose?: () => Promise<void> },
  ffmpeg: Ffmpeg,
  options: ShareOptions & { readonly endsWithFeed?: boolean },
): ScreenSource {
  const { frameRate = DEFAULT_RATE, maxHeight = Number.POSITIVE_INFINITY, codec = 'vp8' } = options;
  const { content = 'auto', overlay, onContent, endsWithFeed } = options;
  const layers = screenLayers(feed.picture.size, maxHeight);
  return new ScreenSource({
    feed,
    frameRate,
    maxHeight,
    content,
    ...(overlay === undefined ? {} : { overlay }),
    ...(onContent === undefined ? {} : { onContent }),
    ...(endsWithFeed === undefined ? {} : { endsWithFeed }),
    ...(onClose === undefined ? {} : { onClose }),
    encode: (outlets) => new LiveVideo({ ffmpeg, codec, layers, frameRate, screen: true, ...outlets }),
  });
}
