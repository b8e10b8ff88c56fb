import { createRequire } from 'node:module';
import { runCommand } from '../command.ts';
import type { Check, DoctorOptions } from './types.ts';

/** Encoder, and what cannot be done without it. */
const ENCODERS = [
  ['libvpx', 'VP8 video'],
  ['libvpx-vp9', 'VP9 video'],
  ['libx264', 'H.264 video and recordings'],
  ['libopus', 'sound'],
] as const;

/** @ffmpeg-installer's Linux build; its parsers lack years of security fixes. */
const OLD = /^(N-|[0-4]\.|20(1\d|2[0-2]))/;

const MEND = 'sudo apt-get install --no-install-recommends ffmpeg';

/** Which ffmpeg is used, how old it is and what it cannot encode. */
export async function checkFfmpeg({ ffmpeg, signal }: DoctorOptions): Promise<Check> {
  const name = 'ffmpeg';
  for (const path of ffmpeg === undefined ? ['ffmpeg', installedFfmpeg()] : [ffmpeg]) {
    if (path === undefined) continue;
    const { code, stdout } = await runCommand(path, ['-hide_banner', '-version'], { signal });
    const version = /^ffmpeg version (\S+)/m.exec(stdout)?.[1];
    if (code !== 0 || version === undefined) continue;
    const { stdout: encoders } = await runCommand(path, ['-hide_banner', '-encoders'], { signal });
    const missing = ENCODERS.filter(([encoder]) => !new RegExp(`^ \\S+ ${encoder} `, 'm').test(encoders));
    if (missing.length > 0) {
      const lacks = missing.map(([encoder, use]) => `${encoder} (${use})`).join(', ');
      return { name, status: 'failed', message: `${path} ${version} lacks ${lacks}.`, mend: MEND };
    }
    if (OLD.test(version)) {
      return {
        name,
        status: 'warning',
        message: `${path} is version ${version}, too old to be trusted with files of strangers.`,
        mend: MEND,
      };
    }
    return { name, status: 'ok', message: `${path}, version ${version}.` };
  }
  const message = ffmpeg === undefined ? 'No ffmpeg was found.' : `${ffmpeg} is not an ffmpeg that runs.`;
  return { name, status: 'failed', message, mend: ffmpeg === undefined ? MEND : 'unset MEET_FFMPEG' };
}

function installedFfmpeg(): string | undefined {
  try {
    const { path } = createRequire(import.meta.url)('@ffmpeg-installer/ffmpeg') as { path: string };
    return path;
  } catch {
    // The package throws on platforms that it has no build for.
    return undefined;
  }
}
