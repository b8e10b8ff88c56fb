import { createRequire } from 'node:module';
import { MeetError } from '../../protocol/errors.ts';
import { capture } from './process.ts';

/** A cold disk and a busy machine may need seconds; a program that is not ffmpeg may never answer. */
const ANSWER_TIMEOUT_MS = 15_000;

export interface Ffmpeg {
  readonly path: string;
  /** As it prints itself, for people: `5.1.9-0+deb12u1`, `N-47683-g0e8eb07980-static`. */
  readonly version: string;
  /**
   * libavcodec's version, [major, minor, micro]. Builds from git or by date have no comparable release number;
   * this is in all of them.
   */
  readonly libavcodec: readonly [number, number, number];
  /** Names of the encoders it was built with, such as `libvpx`. */
  readonly encoders: ReadonlySet<string>;
  /**
   * Whether libopus takes `-fec`. Without it there is no in-band FEC, whatever `-packet_loss` says: of ten seconds of
   * speech 386 of 501 packets carry it with 5.1, none with the build of 2018.
   */
  readonly opusFecOption: boolean;
}

const found = new Map<string, Promise<Ffmpeg | undefined>>();

/**
 * Finds ffmpeg: the one at `path` when given, else the newer of the one in PATH and the one that came with
 * `@ffmpeg-installer/ffmpeg`. Starts each candidate once a process.
 *
 * @throws MeetError `ffmpeg-missing`
 */
export async function findFfmpeg(options: { path?: string } = {}): Promise<Ffmpeg> {
  if (options.path !== undefined) {
    const chosen = await examineOnce(options.path);
    if (chosen) return chosen;
    throw new MeetError('ffmpeg-missing', `${options.path} is not an ffmpeg that can be started.`, {
      hint: 'Correct MEET_FFMPEG, or unset it to use the ffmpeg that meet finds by itself.',
    });
  }
  const installed = installerPath();
  const candidates = await Promise.all(
    ['ffmpeg', ...(installed === undefined ? [] : [installed])].map(examineOnce),
  );
  const best = candidates
    .filter((candidate) => candidate !== undefined)
    .reduce<Ffmpeg | undefined>(
      (newest, candidate) => (newest && compareVersions(newest, candidate) >= 0 ? newest : candidate),
      undefined,
    );
  if (best) return best;
  throw new MeetError('ffmpeg-missing', 'No usable ffmpeg was found.', {
    hint: 'Install it (`apt-get install ffmpeg`), or set MEET_FFMPEG to the path of one.',
  });
}

/** Positive when `a` is the newer. */
export function compareVersions(a: Pick<Ffmpeg, 'libavcodec'>, b: Pick<Ffmpeg, 'libavcodec'>): number {
  for (let i = 0; i < 3; i += 1) {
    const difference = a.libavcodec[i]! - b.libavcodec[i]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The option with which pictures go out as they come in, none repeated or left out. */
export function keepTimes({ libavcodec }: Pick<Ffmpeg, 'libavcodec'>): string[] {
  // libavcodec 60 came with ffmpeg 6; -vsync is gone in 8, -fps_mode came with 5.1.
  return libavcodec[0] >= 60 ? ['-fps_mode', 'passthrough'] : ['-vsync', 'passthrough'];
}

/** What `ffmpeg -version` says; `undefined` when it is the output of something else. */
export function parseVersion(output: string): Pick<Ffmpeg, 'version' | 'libavcodec'> | undefined {
  const version = /^ffmpeg version (\S+)/m.exec(output)?.[1];
  const library = /^\s*libavcodec\s+(\d+)\.\s*(\d+)\.\s*(\d+)/m.exec(output);
  if (version === undefined || !library) return undefined;
  return { version, libavcodec: [Number(library[1]), Number(library[2]), Number(library[3])] };
}

/** Names in the list that `ffmpeg -encoders` prints. */
export function parseEncoders(output: string): Set<string> {
  const rows = output.slice(output.indexOf('------')).matchAll(/^ [VAS][A-Z.]{5} (\S+)/gm);
  return new Set(Array.from(rows, (row) => row[1]!));
}

function examineOnce(path: string): Promise<Ffmpeg | undefined> {
  let answer = found.get(path);
  if (!answer) {
    answer = examine(path);
    found.set(path, answer);
    // An ffmpeg that is installed later must be found without a restart.
    void answer.then((result) => {
      if (!result) found.delete(path);
    });
  }
  return answer;
}

async function examine(path: string): Promise<Ffmpeg | undefined> {
  try {
    const ask = (...args: string[]) => capture(path, args, { timeoutMs: ANSWER_TIMEOUT_MS });
    const [version, encoders, opus] = await Promise.all([
      ask('-version'),
      ask('-hide_banner', '-encoders'),
      ask('-hide_banner', '-h', 'encoder=libopus'),
    ]);
    const parsed = parseVersion(version.stdout);
    if (!parsed) return undefined;
    return {
      path,
      ...parsed,
      encoders: parseEncoders(encoders.stdout),
      opusFecOption: /^\s*-fec\s/m.test(opus.stdout),
    };
  } catch {
    return undefined;
  }
}

function installerPath(): string | undefined {
  try {
    const installer: unknown = createRequire(import.meta.url)('@ffmpeg-installer/ffmpeg');
    const path = (installer as { path?: unknown }).path;
    return typeof path === 'string' ? path : undefined;
  } catch {
    // It throws on platforms that it has no build for, and is absent after an install without optional packages.
    return undefined;
  }
}
