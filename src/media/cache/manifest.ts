import type { AudioDescription, VideoDescription } from '../types.ts';
import { AUDIO_FRAME_TICKS, EncodedMedia } from './media.ts';
import type { RunFile } from './run-file.ts';

/** What is written beside the frames: everything about them but their bytes. */
interface Manifest {
  /** Version of ffmpeg that made it, for people. */
  readonly ffmpeg: string;
  /** Size of the file of frames. */
  readonly bytes: number;
  readonly still: boolean;
  readonly video?: VideoDescription;
  readonly audio?: AudioDescription;
  /** Ticks between pictures; the first is the first's time. */
  readonly pictures: readonly number[];
  /** For each layer its runs: level, start, offset, sizes of the frames. */
  readonly layers: readonly (readonly (readonly [number, number, number, readonly number[]])[])[];
  /** Runs of Opus packets: offset, sizes, levels. */
  readonly sound: readonly (readonly [number, readonly number[], readonly number[]])[];
}

/** The manifest of complete media as text. */
export function writeManifest(media: EncodedMedia, file: RunFile, ffmpeg: string): string {
  const manifest: Manifest = {
    ffmpeg,
    bytes: file.size,
    still: media.still,
    ...(media.video && { video: media.video }),
    ...(media.audio && { audio: media.audio }),
    pictures: media.pictures.map((ticks, i) => ticks - (media.pictures[i - 1] ?? 0)),
    layers: (media.video?.layers ?? []).map((_, layer) =>
      Array.from(
        media.runs(layer),
        (run) => [run.level, run.startTicks, run.offset ?? 0, run.sizes] as const,
      ),
    ),
    sound: media.audioRuns.map((run) => [run.offset ?? 0, run.sizes, run.audioLevels ?? []] as const),
  };
  return JSON.stringify(manifest);
}

/** Media from its manifest and file; `undefined` when they do not belong together or are damaged. */
export function readManifest(text: string, file: RunFile): EncodedMedia | undefined {
  let manifest: Manifest;
  try {
    manifest = JSON.parse(text) as Manifest;
  } catch {
    return undefined;
  }
  // The folder is ours and appears only when complete; a power cut may still have cut a file short.
  if (manifest.bytes !== file.size || (!manifest.video && !manifest.audio)) return undefined;
  const media = new EncodedMedia({
    ...(manifest.video && { video: manifest.video }),
    ...(manifest.audio && { audio: manifest.audio }),
    still: manifest.still,
    file,
  });
  let ticks = 0;
  for (const step of manifest.pictures) {
    ticks += step;
    media.pictures.push(ticks);
  }
  manifest.layers.forEach((runs, layer) => {
    for (const [level, startTicks, offset, sizes] of runs) {
      media.addRun(layer, { level, startTicks, sizes: [...sizes], offset, closed: true });
    }
  });
  for (const [offset, sizes, audioLevels] of manifest.sound) {
    const startTicks = media.audioPackets * AUDIO_FRAME_TICKS;
    media.audioRuns.push({
      level: 0,
      startTicks,
      sizes: [...sizes],
      audioLevels: [...audioLevels],
      offset,
      closed: true,
    });
    media.audioPackets += sizes.length;
  }
  media.complete = true;
  return media;
}
