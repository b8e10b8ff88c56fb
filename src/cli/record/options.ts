import type { RecordingOptions } from '../../recorder/types.ts';
import type { RecordCommandOptions } from '../commands/record.ts';

/** How the recording is to look, as its folder keeps it. */
export function recordingOptions(options: RecordCommandOptions): RecordingOptions {
  return {
    layout: 'gallery',
    width: 1280,
    height: 720,
    fps: 30,
    bitrate: 2_500_000,
    format: options.audioOnly ? 'm4a' : 'mp4',
    clock: false,
    tracksOnly: true,
  };
}
