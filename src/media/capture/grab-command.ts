import type { Ffmpeg } from '../ffmpeg/locate.ts';
import type { CaptureInput } from './arguments.ts';
import type { GrabCommand } from './grabber.ts';
import { evenSize, type Size } from './pixels.ts';

/** One thread: with more, a decoder holds pictures back. */
const INPUT = ['-v', 'error', '-threads', '1'];
/** Not for what is decoded: its first pictures would be lost with the packets that were looked at. */
const AT_ONCE = ['-fflags', 'nobuffer'];

/** The command that gives a screen's pictures as they are captured, all of one size. */
export function grabCommand(
  ffmpeg: Ffmpeg,
  { args, filters, format }: CaptureInput,
  size: Size,
): GrabCommand {
  const even = evenSize(size);
  // What has even sides already is passed on as it is: scaling would cost as much as capturing.
  const asItIs = even.width === size.width && even.height === size.height && filters.length === 0;
  const chain = [...filters, `crop=${even.width}:${even.height}:0:0`, `format=${format}`];
  return {
    path: ffmpeg.path,
    args: [
      ...[...INPUT, ...AT_ONCE, ...args, '-an'],
      ...(asItIs ? ['-c:v', 'copy'] : ['-vf', chain.join(','), ...keepTimes(ffmpeg)]),
      ...['-f', 'rawvideo', '-flush_packets', '1', 'pipe:3'],
    ],
    format,
    size: even,
  };
}

/** The command that gives the pictures of any input as I420, which say how large they are, at most this large. */
export function pictureCommand(
  ffmpeg: Ffmpeg,
  { args, filters }: Pick<CaptureInput, 'args' | 'filters'>,
  box: Size,
): GrabCommand {
  const fitted =
    `scale=w='min(iw,${box.width})':h='min(ih,${box.height})':force_original_aspect_ratio=decrease,` +
    'crop=trunc(iw/2)*2:trunc(ih/2)*2:0:0,setsar=1,format=yuv420p';
  return {
    path: ffmpeg.path,
    args: [
      ...[...INPUT, ...args, '-an', '-vf', [...filters, fitted].join(','), ...keepTimes(ffmpeg)],
      ...['-f', 'yuv4mpegpipe', '-strict', '-1', '-flush_packets', '1', 'pipe:3'],
    ],
    format: 'yuv420p',
  };
}

/** libavcodec 60 came with ffmpeg 6; -vsync is gone in 8, -fps_mode came with 5.1. */
function keepTimes({ libavcodec }: Ffmpeg): string[] {
  return libavcodec[0] >= 60 ? ['-fps_mode', 'passthrough'] : ['-vsync', 'passthrough'];
}
