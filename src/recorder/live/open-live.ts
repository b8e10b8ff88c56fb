/** Puts the live recording of a session together: its file, its upload, its encoder. */
import type { Ffmpeg } from '../../media/ffmpeg/locate.ts';
import {
  chooseEncodings,
  type EncoderResume,
  type EncodeSettings,
  LiveFile,
  RtmpSink,
  type Sink,
  type VideoEncoding,
} from '../encode/index.ts';
import { FILES, type RecordingFolder, wallTimeMs } from '../folder/index.ts';
import type { RecorderSession } from '../session/session.ts';
import {
  LiveUpload,
  type ObjectTraits,
  objectKey,
  openUploadTarget,
  type UploadTarget,
} from '../upload/index.ts';
import { LiveRecording } from './live-recording.ts';

export interface OutputOptions {
  readonly ffmpeg: Ffmpeg;
  /** Where it is kept which encoders work on this machine. */
  readonly cacheFolder: string;
  /** `s3://bucket/prefix` or a folder. */
  readonly uploadTo?: string | undefined;
  readonly traits?: ObjectTraits | undefined;
  /** `rtmp://…` or `rtmps://…`. */
  readonly rtmp?: string | undefined;
}

/** Where a live recording goes, and how it is encoded. */
export interface LiveOutputs {
  readonly file: LiveFile;
  readonly upload:
    | { readonly live: LiveUpload; readonly target: UploadTarget; readonly key: string }
    | undefined;
  readonly rtmp: RtmpSink | undefined;
  readonly ffmpeg: Ffmpeg;
  readonly settings: EncodeSettings;
  readonly encodings: readonly VideoEncoding[];
  readonly resume: EncoderResume | undefined;
}

/**
 * Opens the file in the recording's folder, or what a recorder that died has left of it, the upload and the stream:
 * before anybody is told of a recording.
 *
 * @throws MeetError `ffmpeg-missing` for one without the encoders, `disk-full`, `no-permission`, `bad-config` for an
 *   address that cannot be
 */
export async function openOutputs(folder: RecordingFolder, options: OutputOptions): Promise<LiveOutputs> {
  const { ffmpeg, cacheFolder, uploadTo, traits, rtmp } = options;
  const { width, height, fps, bitrate, format } = folder.recording.options;
  const video = format === 'm4a' ? {} : { video: { width, height, fps } };
  const settings: EncodeSettings = { format, bitrate, ...video };
  const stream = rtmp === undefined ? undefined : new RtmpSink({ ffmpeg, url: rtmp, format });
  const encodings = await chooseEncodings({ ffmpeg, settings, cacheFolder });
  const target = uploadTo === undefined ? undefined : await openUploadTarget(uploadTo, { traits });
  const name = `${FILES.live}.${format}`;
  const file = await LiveFile.open(folder.file(name));
  try {
    const resume = resumeOf(file);
    // A decoder's parameters are in the file already, and the stream has none of them yet.
    if (resume !== undefined) stream?.init(resume.header.bytes);
    return {
      ...{ file, rtmp: stream, ffmpeg, settings, encodings, resume },
      upload: target && (await openUpload(folder, file, { name, target })),
    };
  } catch (error) {
    target?.close();
    await file.close();
    throw error;
  }
}

async function openUpload(
  folder: RecordingFolder,
  file: LiveFile,
  { name, target }: { name: string; target: UploadTarget },
): Promise<LiveOutputs['upload']> {
  const key = objectKey(folder.id, name);
  const local = { path: file.path, written: () => file.written() };
  const live = await LiveUpload.open({ folder: folder.path, target, file: name, key, local });
  return { live, target, key };
}

/** Fragments are whole seconds, so the next one begins a second after the last. */
function resumeOf({ recovered }: LiveFile): EncoderResume | undefined {
  if (recovered === undefined) return undefined;
  const { header, sequence, lastFragmentMs } = recovered;
  return { header, sequence, second: Math.round(lastFragmentMs / 1000) + 1 };
}

/**
 * When a recorder that died was last heard of at the earliest: its file goes so far. What it was heard of later for is
 * made up for by the one that goes on, so that output time and wall time stay together.
 */
export function lastFragmentEnd(folder: RecordingFolder, { resume }: LiveOutputs): number {
  return resume === undefined ? 0 : wallTimeMs(folder.recording, resume.second * 1000);
}

/** Nothing was recorded: closes what was opened. */
export async function closeOutputs({ file, upload, rtmp }: LiveOutputs): Promise<void> {
  await Promise.all([file.close(), upload?.live.close(), rtmp?.close()]);
  upload?.target.close();
}

/** Makes the recording of a session that has just joined. */
export function startLive(session: RecorderSession, outputs: LiveOutputs): LiveRecording {
  const { file, upload, rtmp, ffmpeg, settings, encodings, resume } = outputs;
  const sinks: Sink[] = [file];
  if (upload !== undefined) sinks.push(upload.live);
  if (rtmp !== undefined) sinks.push(rtmp);
  const { clock } = session.folder.recording.options;
  return new LiveRecording({ session, ffmpeg, settings, encodings, clock, sinks, resume });
}
