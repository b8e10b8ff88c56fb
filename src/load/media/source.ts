/** What a bot sends: layers of an encoded clip, and sound while it is its turn to speak. */
import { openFile } from '../../media/file/open.ts';
import type { EncodedFrame, EncodedSource, SourceSink, VideoDescription } from '../../media/types.ts';
import { MeetError } from '../../protocol/errors.ts';

export type VideoChoice = '720p' | '360p' | '180p' | 'simulcast' | 'none';
export const VIDEO_CHOICES: readonly VideoChoice[] = ['720p', '360p', '180p', 'simulcast', 'none'];

export interface LoadMedia {
  readonly video: VideoChoice;
  readonly audio: boolean;
  /** Clips with picture and sound; the bots take them in turn. They are encoded once a machine. */
  readonly files: readonly string[];
  readonly cacheDir: string;
  /** The ffmpeg that encodes them. */
  readonly ffmpeg?: string;
}

/** RFC 6716 section 3.1: a frame of 20 ms without a payload, as an encoder sends it in silence (DTX). */
const SILENCE = Buffer.from([0x78]);
/** −dBov of digital silence (RFC 6464). */
const SILENT_LEVEL = 127;
/** An encoder in DTX sends a frame each 400 ms, which is 20 of its frames. */
const FRAMES_PER_SILENCE = 20;

/**
 * Opens a clip for one bot. Bots of a process that send the same clip share its index and its file; each has its own
 * place in it.
 *
 * @param speaks whether it is the bot's turn
 * @throws MeetError `media-not-found`, `media-unusable`, `ffmpeg-missing`, `ffmpeg-failed`, `disk-full`
 */
export async function openLoadSource(
  { video, audio, files, cacheDir, ffmpeg }: LoadMedia,
  index: number,
  speaks: () => boolean,
): Promise<EncodedSource> {
  const file = files[index % files.length];
  if (file === undefined) throw new MeetError('media-not-found', 'No media file was given.');
  const opened = await openFile({
    video: file,
    loop: true,
    whole: true,
    cacheDir,
    ...(ffmpeg === undefined ? {} : { ffmpeg: { path: ffmpeg } }),
  });
  try {
    return new LoadSource(opened, { video, audio, speaks, name: file });
  } catch (error) {
    await opened.close();
    throw error;
  }
}

interface LoadSourceOptions {
  readonly video: VideoChoice;
  readonly audio: boolean;
  readonly speaks: () => boolean;
  readonly name: string;
}

class LoadSource implements EncodedSource {
  readonly video?: VideoDescription;
  readonly audio?: NonNullable<EncodedSource['audio']>;
  readonly #inner: EncodedSource;
  readonly #speaks: () => boolean;
  /** Layers of the clip that are sent, lowest first. */
  readonly #layers: readonly number[];
  #silentFrames = 0;

  constructor(inner: EncodedSource, { video, audio, speaks, name }: LoadSourceOptions) {
    this.#inner = inner;
    this.#speaks = speaks;
    this.#layers = video === 'none' ? [] : chosenLayers(inner, video, name);
    if (inner.video && this.#layers.length > 0) {
      this.video = { ...inner.video, layers: this.#layers.map((layer) => inner.video!.layers[layer]!) };
    }
    if (audio) {
      if (!inner.audio) throw new MeetError('media-unusable', `${name} holds no sound.`);
      this.audio = inner.audio;
    }
  }

  start(sink: SourceSink): void {
    this.#inner.video?.layers.forEach((_, layer) => {
      if (!this.#layers.includes(layer)) this.#inner.setLayerActive(layer, false);
    });
    this.#inner.start({
      frame: (frame) => this.#pass(frame, sink),
      ended: () => sink.ended(),
      failed: (error) => sink.failed(error),
    });
  }

  #pass(frame: EncodedFrame, sink: SourceSink): void {
    if (frame.kind === 'video') {
      const layer = this.#layers.indexOf(frame.layer);
      if (layer >= 0) sink.frame({ ...frame, layer });
      return;
    }
    if (!this.audio) return;
    if (this.#speaks()) {
      this.#silentFrames = 0;
      sink.frame(frame);
      return;
    }
    // The first frames of a silence are sent, so that everybody hears that it is one.
    const due = this.#silentFrames < 5 || this.#silentFrames % FRAMES_PER_SILENCE === 0;
    this.#silentFrames += 1;
    if (due) sink.frame({ ...frame, data: SILENCE, audioLevel: SILENT_LEVEL });
  }

  requestKeyFrame(layer: number): void {
    const inner = this.#layers[layer];
    if (inner !== undefined) this.#inner.requestKeyFrame(inner);
  }

  setLayerActive(layer: number, active: boolean): void {
    const inner = this.#layers[layer];
    if (inner !== undefined) this.#inner.setLayerActive(inner, active);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}

function chosenLayers(
  { video }: EncodedSource,
  choice: Exclude<VideoChoice, 'none'>,
  name: string,
): number[] {
  const layers = video?.layers ?? [];
  if (layers.length === 0) throw new MeetError('media-unusable', `${name} holds no picture.`);
  if (choice === 'simulcast') return layers.map((_, layer) => layer);
  const lines = Number.parseInt(choice, 10);
  const found = layers.findIndex(({ width, height }) => Math.min(width, height) === lines);
  if (found < 0) {
    const sizes = layers.map(({ width, height }) => `${width}x${height}`).join(', ');
    throw new MeetError('media-unusable', `${name} gives no picture of ${lines} lines, only ${sizes}.`);
  }
  return [found];
}
