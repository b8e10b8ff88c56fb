import { systemSound } from '../capture/arguments.ts';
import { systemOf } from '../capture/system.ts';
import { Microphone } from './microphone.ts';
import { hasSoundServer } from './sound-server.ts';

export interface SystemSoundOptions {
  /** A device that hears what the machine plays; the system's own when absent. */
  readonly device?: string;
  readonly ffmpegPath?: string;
}

/**
 * Opens what the machine plays, in stereo.
 *
 * @throws MeetError `device-unusable` where the system has no such device, `ffmpeg-missing`
 */
export async function openSystemSound({ device, ffmpegPath }: SystemSoundOptions = {}): Promise<Microphone> {
  return await Microphone.open({
    device: systemSound(systemOf(process.platform), hasSoundServer(), device),
    channels: 2,
    ...(ffmpegPath === undefined ? {} : { ffmpegPath }),
  });
}
