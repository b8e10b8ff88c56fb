import { EventEmitter } from 'node:events';
import { captureAbilities } from '../capture/abilities.ts';
import { cameraDevice, cameraInput } from '../capture/arguments.ts';
import { pictureCommand } from '../capture/grab-command.ts';
import { Grabber, type GrabCommand } from '../capture/grabber.ts';
import { deviceError } from '../capture/input-size.ts';
import type { CapturedPicture, Size } from '../capture/pixels.ts';
import { systemOf } from '../capture/system.ts';
import { findFfmpeg } from '../ffmpeg/locate.ts';
import { exitFailure } from '../ffmpeg/process.ts';
import { whenBack } from './return.ts';

/** What cameras are asked for; they give what is nearest. */
const SIZE: Size = { width: 1280, height: 720 };
export const CAMERA_RATE = 30;

export interface CameraFeedOptions {
  /** `v4l2:/dev/video0`, or a name of the system's own kind; the first when absent. */
  readonly device?: string;
  readonly ffmpegPath?: string;
}

interface CameraFeedEvents {
  picture: [];
  /** The camera is gone, or has come back. */
  available: [available: boolean];
}

/** Pictures of a camera as they come. A camera that is unplugged is waited for. */
export class CameraFeed extends EventEmitter<CameraFeedEvents> {
  readonly #command: GrabCommand;
  readonly #name: string;
  readonly #closing = new AbortController();
  #grabber: Grabber;
  #available = true;

  private constructor(command: GrabCommand, name: string, grabber: Grabber) {
    super();
    this.#command = command;
    this.#name = name;
    this.#grabber = grabber;
    this.#watch(grabber);
  }

  /**
   * Opens the camera; resolves when its first picture has come.
   *
   * @throws MeetError `device-unusable` when there is no such camera, or it is in use or forbidden, `ffmpeg-missing`
   */
  static async open({ device, ffmpegPath }: CameraFeedOptions = {}): Promise<CameraFeed> {
    const ffmpeg = await findFfmpeg(ffmpegPath === undefined ? {} : { path: ffmpegPath });
    const named = cameraDevice(systemOf(process.platform), device);
    const input = cameraInput(named, { ...SIZE, frameRate: CAMERA_RATE }, await captureAbilities(ffmpeg));
    const name = device ?? `The camera ${named.name}`;
    const command = pictureCommand(ffmpeg, input, SIZE);
    return new CameraFeed(command, name, await firstPicture(command, name));
  }

  /** The current picture. */
  get picture(): CapturedPicture {
    return this.#grabber.picture;
  }

  get available(): boolean {
    return this.#available;
  }

  /** Process id of ffmpeg while it runs. */
  get pid(): number | undefined {
    return this.#grabber.pid;
  }

  #watch(grabber: Grabber): void {
    grabber.on('picture', () => this.emit('picture'));
    grabber.on('ended', () => void this.#lost());
  }

  async #lost(): Promise<void> {
    const { signal } = this.#closing;
    this.#setAvailable(false);
    const grabber = await whenBack(() => firstPicture(this.#command, this.#name), signal);
    if (grabber === undefined) return;
    if (signal.aborted) {
      await grabber.close();
      return;
    }
    this.#grabber = grabber;
    this.#watch(grabber);
    this.#setAvailable(true);
  }

  #setAvailable(available: boolean): void {
    this.#available = available;
    this.emit('available', available);
  }

  /** Ends what captures. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.removeAllListeners();
    await this.#grabber.close();
  }
}

/** Captures; resolves with the first picture. @throws MeetError `device-unusable` */
async function firstPicture(command: GrabCommand, name: string): Promise<Grabber> {
  const grabber = new Grabber(command);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  grabber.once('picture', () => resolve(true));
  grabber.once('ended', () => resolve(false));
  if (await promise) {
    grabber.removeAllListeners();
    return grabber;
  }
  const exit = await grabber.exit;
  throw deviceError(name, exit.stderr, exitFailure(exit, `opening ${name}`));
}
