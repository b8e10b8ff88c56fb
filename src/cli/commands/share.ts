import { Option } from 'commander';
import type { LiveCodec } from '../../media/encode/live-encoder.ts';
import { addMeetingOptions, type MeetingOptions } from '../meeting-options.ts';
import { parseCount, parseDuration } from '../parse.ts';
import type { Registry } from '../program.ts';

export interface ShareCommandOptions extends MeetingOptions {
  readonly display?: string;
  readonly window?: string;
  readonly region?: string;
  readonly monitor?: number;
  readonly file?: string;
  readonly stdin?: boolean;
  readonly inputFormat?: string;
  readonly pageTime?: number;
  readonly loop?: boolean;
  readonly fps: number;
  readonly content: 'auto' | 'detail' | 'motion';
  readonly maxHeight?: number;
  readonly cursor: boolean;
  readonly audio?: string | boolean;
  readonly camera?: string | boolean;
  readonly mic?: string | boolean;
  readonly micFilter?: string;
  readonly pip?: boolean;
  readonly codec: LiveCodec;
  readonly duration?: number;
  readonly relay?: boolean;
  readonly reconnectTimeout: number;
  readonly ffmpeg?: string;
}

export function registerShare({ command, action }: Registry): void {
  const share = addMeetingOptions(
    command('share', 'share a screen, a window, a document or a video in a meeting'),
    'share as a host',
  )
    .addOption(
      new Option('--display <display>', 'X display to share, such as :0; default $DISPLAY').conflicts([
        'file',
        'stdin',
      ]),
    )
    .addOption(
      new Option('--window <id|title>', 'share one window, by its id or a part of its title').conflicts([
        'monitor',
        'region',
        'file',
        'stdin',
      ]),
    )
    .addOption(
      new Option('--region <WxH+X+Y>', 'share a part of the screen or of the monitor').conflicts([
        'file',
        'stdin',
      ]),
    )
    .addOption(
      new Option('--monitor <n>', 'share one monitor, from 0')
        .argParser(parseCount(0, 63))
        .conflicts(['file', 'stdin']),
    )
    .addOption(
      new Option('--file <file>', 'share a PDF, an image or a video in place of a screen').conflicts('stdin'),
    )
    .option('--stdin', 'share what comes on the standard input in place of a screen')
    .option(
      '--input-format <format>',
      'what comes there, as ffmpeg names it, where it does not tell by itself',
    )
    .option('--page-time <time>', 'turn the pages of a PDF by itself after this time (10s)', parseDuration)
    .option('--loop', 'start a video or a PDF again at its end')
    .addOption(new Option('--fps <n>', 'pictures a second at most').argParser(parseCount(1, 60)).default(30))
    .addOption(
      new Option('--content <what>', 'what to care for: sharp text (detail) or smooth motion')
        .choices(['auto', 'detail', 'motion'])
        .default('auto'),
    )
    .addOption(
      new Option('--max-height <lines>', 'send no picture that is higher').argParser(parseCount(90, 4_320)),
    )
    .addOption(new Option('--cursor', 'draw the pointer').default(true, 'drawn'))
    .option('--no-cursor', 'leave the pointer out')
    .option('--audio [device]', "share the machine's sound, too")
    .option('--camera [device]', 'send a camera beside it; meet devices lists them')
    .option('--mic [device]', 'send a microphone beside it')
    .option('--mic-filter <filter>', 'denoise, or audio filters of ffmpeg, for the microphone')
    .addOption(new Option('--pip', 'draw the camera into a corner of the shared picture'))
    .addOption(new Option('--codec <codec>', 'codec of the picture').choices(['vp8', 'vp9']).default('vp8'))
    .option('--duration <time>', 'stop after this time (30s, 5m)', parseDuration)
    .option('--relay', 'send through TURN only')
    .addOption(
      new Option('--reconnect-timeout <time>', 'how long to try to come back after a cut')
        .argParser(parseDuration)
        .default(60_000, '60s'),
    )
    .addOption(new Option('--ffmpeg <path>', 'ffmpeg to use').env('MEET_FFMPEG'));
  action<ShareCommandOptions>(share, async ({ context, output }, options, args) => {
    const [meeting = ''] = args;
    const { runShare } = await import('../share/run.ts');
    return await runShare({ context, output }, meeting, options);
  });
}
