/** H.264 encoders in hardware, and what ffmpeg has to be told for each. */
import type { Ffmpeg } from '../../media/ffmpeg/locate.ts';
import type { VideoEncoding } from './settings.ts';

/** The machine's devices. */
interface Devices {
  exists(path: string): boolean;
  list(folder: string): string[];
}

const encoding = (encoder: string, options: string[], device: string[] = []): VideoEncoding => ({
  encoder,
  step: '',
  device,
  options: ['-c:v', encoder, '-bf', '0', ...options],
});

/**
 * Encoders that ffmpeg lists and whose device is there, the most able first. Whether one works is seen by trying it
 * out: builds list what they were compiled with. None makes B-pictures, and all make keyframes where they are told.
 */
export function hardwareEncodings(
  ffmpeg: Ffmpeg,
  platform: NodeJS.Platform,
  devices: Devices,
): VideoEncoding[] {
  const render = devices.list('/dev/dri').find((name) => name.startsWith('renderD'));
  const nvidia = platform === 'win32' || devices.exists('/dev/nvidiactl');
  const found: VideoEncoding[] = [];
  if (nvidia) {
    found.push(
      encoding('h264_nvenc', ['-preset', 'fast', '-rc', 'vbr', '-forced-idr', '1', '-no-scenecut', '1']),
    );
  }
  if (platform === 'darwin') {
    found.push(encoding('h264_videotoolbox', ['-profile:v', 'high', '-realtime', '1', '-allow_sw', '0']));
  }
  if (platform === 'win32' || render !== undefined) {
    found.push(encoding('h264_qsv', ['-preset', 'veryfast', '-look_ahead', '0', '-forced_idr', '1']));
  }
  if (render !== undefined) {
    found.push(
      encoding(
        'h264_vaapi',
        ['-vf', 'format=nv12,hwupload', '-profile:v', 'high'],
        ['-vaapi_device', `/dev/dri/${render}`],
      ),
    );
  }
  return found.filter(({ encoder }) => ffmpeg.encoders.has(encoder));
}
