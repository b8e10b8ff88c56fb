/** Cameras and microphones that the options name. */
import type { Microphone } from '../media/device/microphone.ts';
import type { LiveCodec } from '../media/encode/live-encoder.ts';
import type { EncodedSource } from '../media/types.ts';

export interface DeviceOptions {
  /** `true` is the default device. */
  readonly camera?: string | boolean;
  readonly mic?: string | boolean;
  readonly micFilter?: string;
  readonly codec?: string;
  readonly ffmpeg?: string;
}

/** Opens the microphone that is asked for. @throws MeetError `device-unusable`, `ffmpeg-missing` */
export async function openMicrophone({
  mic,
  micFilter,
  ffmpeg,
}: DeviceOptions): Promise<Microphone | undefined> {
  if (mic === undefined || mic === false) return undefined;
  const { Microphone } = await import('../media/device/microphone.ts');
  return await Microphone.open({
    ...(typeof mic === 'string' ? { device: mic } : {}),
    ...(micFilter === undefined ? {} : { filter: micFilter }),
    ...(ffmpeg === undefined ? {} : { ffmpegPath: ffmpeg }),
  });
}

/** Opens the camera that is asked for. @throws MeetError `device-unusable`, `ffmpeg-missing` */
export async function openCameraFeed({ camera, ffmpeg }: DeviceOptions) {
  const { CameraFeed } = await import('../media/device/camera-feed.ts');
  return await CameraFeed.open({
    ...(typeof camera === 'string' ? { device: camera } : {}),
    ...(ffmpeg === undefined ? {} : { ffmpegPath: ffmpeg }),
  });
}

/** Opens camera and microphone as one source; `undefined` when neither is asked for. @throws MeetError */
export async function openDevices(
  options: DeviceOptions,
  feed?: Awaited<ReturnType<typeof openCameraFeed>>,
): Promise<EncodedSource | undefined> {
  const { camera, codec, ffmpeg } = options;
  const opened: EncodedSource[] = [];
  try {
    const microphone = await openMicrophone(options);
    if (microphone) opened.push(microphone);
    if (camera === undefined || camera === false) return microphone;
    const { Camera } = await import('../media/device/camera.ts');
    const picture = await Camera.open({
      feed: feed ?? (await openCameraFeed(options)),
      codec: liveCodec(codec),
      ...(ffmpeg === undefined ? {} : { ffmpegPath: ffmpeg }),
    });
    if (!microphone) return picture;
    opened.push(picture);
    return await together(picture, microphone);
  } catch (error) {
    await Promise.all(opened.map((source) => source.close()));
    throw error;
  }
}

/** One source of the picture of one and the sound of another. */
export async function together(picture: EncodedSource, sound: EncodedSource): Promise<EncodedSource> {
  const { Together } = await import('../media/device/together.ts');
  return new Together(picture, sound);
}

function liveCodec(codec: string | undefined): LiveCodec {
  return codec === 'vp9' ? 'vp9' : 'vp8';
}
