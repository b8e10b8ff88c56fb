/** Puts the live recording of a session together: its file, its upload, its encoder. */
import { availableParallelism } from 'node:os';
import type { Ffmpeg } from '../../media/ffmpeg/locate.ts';
import type { RecordingFormat } from '../../protocol/recording.ts';
import {
  type EncodeSettings,
  type VideoEncoding,
  vpxEncoding,
  X264_STEPS,
  x264Encoding,
} from '../encode/settings.ts';
import { FILES, type RecordingFolder } from '../folder/index.ts';
import type { RecorderSession } from '../session/session.ts';
import { LiveUpload, objectKey, openUploadTarget } from '../upload/index.ts';
import { LiveFile } from './live-file.ts';
import { LiveRecording } from './live-recording.ts';

/** More threads than this make a picture late and no encoder faster. */
const MAX_THREADS = 4;

/** The live file of a recording, and where else it goes. */
export interface LiveOutputs {
  readonly file: LiveFile;
  readonly upload: LiveUpload | undefined;
  /** Key of the uploaded object. */
  readonly key: string;
  readonly format: RecordingFormat;
}

/**
 * Opens the file in the recording's folder and the upload, before anybody is told of a recording.
 *
 * @throws MeetError `disk-full`, `no-permission`, `bad-config` for an upload's URL
 */
export async function openOutputs(
  folder: RecordingFolder,
  uploadTo: string | undefined,
): Promise<LiveOutputs> {
  const { format } = folder.recording.options;
  const name = `${FILES.live}.${format}`;
  const key = objectKey(folder.id, name);
  const file = await LiveFile.open(folder.file(name));
  try {
    const upload =
      uploadTo === undefined
        ? undefined
        : await LiveUpload.open({
            folder: folder.path,
            target: await openUploadTarget(uploadTo),
            file: name,
            key,
            local: { path: file.path, written: () => file.written() },
          });
    return { file, upload, key, format };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Makes the recording of a session that has just joined. */
export function startLive(session: RecorderSession, ffmpeg: Ffmpeg, outputs: LiveOutputs): LiveRecording {
  const { width, height, fps, bitrate, clock } = session.folder.recording.options;
  const { file, upload, format } = outputs;
  const settings: EncodeSettings = {
    format,
    bitrate,
    ...(format === 'm4a' ? {} : { video: { width, height, fps } }),
  };
  return new LiveRecording({
    session,
    ffmpeg,
    settings,
    encodings: encodingsOf(format),
    clock,
    sinks: [file, ...(upload === undefined ? [] : [upload])],
  });
}

function encodingsOf(format: RecordingFormat): VideoEncoding[] {
  const threads = Math.min(MAX_THREADS, availableParallelism());
  if (format === 'm4a') return [];
  if (format === 'webm') return (['high', 'low'] as const).map((step) => vpxEncoding('vp8', step, threads));
  return X264_STEPS.map((_, index) => x264Encoding(index, threads));
}
