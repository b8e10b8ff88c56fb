import { findFfmpeg } from '../../media/ffmpeg/locate.ts';
import type { Check, DoctorOptions } from './types.ts';

/** Encoder, and what cannot be done without it. */
const ENCODERS = [
  ['libvpx', 'VP8 video'],
  ['libvpx-vp9', 'VP9 video'],
  ['libx264', 'H.264 video and recordings'],
  ['libopus', 'sound'],
] as const;

/**
 * ffmpeg 5.0's libavcodec. What is older gets no security fixes any more, @ffmpeg-installer's Linux build of
 * 2018 among it, and a meeting parses files and streams of strangers.
 */
const MAINTAINED_LIBAVCODEC = 59;

const MEND = 'sudo apt-get install --no-install-recommends ffmpeg';

/** Which ffmpeg is used, how old it is and what it cannot encode. */
export async function checkFfmpeg({ ffmpeg }: DoctorOptions): Promise<Check> {
  const name = 'ffmpeg';
  const { path, version, libavcodec, encoders } = await findFfmpeg(
    ffmpeg === undefined ? {} : { path: ffmpeg },
  );
  const missing = ENCODERS.filter(([encoder]) => !encoders.has(encoder));
  if (missing.length > 0) {
    const lacks = missing.map(([encoder, use]) => `${encoder} (${use})`).join(', ');
    return { name, status: 'failed', message: `${path} ${version} lacks ${lacks}.`, mend: MEND };
  }
  if (libavcodec[0] < MAINTAINED_LIBAVCODEC) {
    return {
      name,
      status: 'warning',
      message: `${path} is version ${version}, too old to be trusted with the media of strangers.`,
      mend: MEND,
    };
  }
  return { name, status: 'ok', message: `${path}, version ${version}.` };
}
