import { Option } from 'commander';
import type { VideoCodec } from '../../media/types.ts';
import { addViewOptions, type ViewOptions } from '../join/view.ts';
import { addMeetingOptions, type MeetingOptions } from '../meeting-options.ts';
import { parseDuration } from '../parse.ts';
import type { Registry } from '../program.ts';

export interface JoinCommandOptions extends MeetingOptions, ViewOptions {
  readonly video?: string;
  readonly audio?: string;
  /** `true` is the default device. */
  readonly camera?: string | boolean;
  readonly mic?: string | boolean;
  readonly micFilter?: string;
  readonly loop?: boolean;
  readonly testPattern?: boolean;
  readonly codec?: VideoCodec;
  readonly duration?: number;
  readonly receive: 'all' | 'audio' | 'none';
  readonly save?: string;
  readonly relay?: boolean;
  readonly reconnectTimeout: number;
  readonly ffmpeg?: string;
}

export function registerJoin({ command, action }: Registry): void {
  const join = addMeetingOptions(
    command('join', 'join a meeting headlessly, sending files and receiving everybody'),
    'join as a host',
  )
    .option('--video <file>', 'send the picture (and the sound) of a media file')
    .option('--audio <file>', 'send the sound of a media file')
    .addOption(
      new Option('--camera [device]', 'send a camera; meet devices lists them').conflicts([
        'video',
        'testPattern',
      ]),
    )
    .addOption(
      new Option('--mic [device]', 'send a microphone; meet devices lists them').conflicts([
        'audio',
        'testPattern',
      ]),
    )
    .option('--mic-filter <filter>', 'denoise, or audio filters of ffmpeg, for the microphone')
    .option('--loop', 'start the files again at their end, instead of leaving')
    .addOption(
      new Option('--test-pattern', 'send a test picture with a clock and a beep a second').conflicts([
        'video',
        'audio',
      ]),
    )
    .addOption(
      new Option('--codec <codec>', 'codec of the picture that is sent; default vp8').choices([
        'vp8',
        'vp9',
        'h264',
        'av1',
      ]),
    )
    .option('--duration <time>', 'leave after this time (30s, 5m)', parseDuration)
    .addOption(
      new Option('--receive <what>', 'what to receive').choices(['all', 'audio', 'none']).default('all'),
    )
    .option('--save <dir>', 'write each received track to a playable file in this folder')
    .option('--relay', 'send and receive through TURN only')
    .addOption(
      new Option('--reconnect-timeout <time>', 'how long to try to come back after a cut')
        .argParser(parseDuration)
        .default(60_000, '60s'),
    )
    .addOption(new Option('--ffmpeg <path>', 'ffmpeg to use').env('MEET_FFMPEG'));
  addViewOptions(join);
  action<JoinCommandOptions>(join, async ({ context, output }, options, args) => {
    const [meeting = ''] = args;
    const { runJoin } = await import('../join/run.ts');
    return await runJoin({ context, output }, meeting, options);
  });
}
