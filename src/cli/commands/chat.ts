import { Option } from 'commander';
import { addMeetingOptions, type MeetingOptions } from '../meeting-options.ts';
import { parseDuration } from '../parse.ts';
import type { Registry } from '../program.ts';

export interface ChatCommandOptions extends MeetingOptions {
  readonly plain?: boolean;
  readonly video?: boolean;
  readonly layout: 'speaker' | 'gallery';
  readonly audio?: boolean;
  /** `true` is the default device. */
  readonly mic?: string | true;
  readonly relay?: boolean;
  readonly reconnectTimeout: number;
  readonly ffmpeg?: string;
}

export function registerChat({ command, action }: Registry): void {
  const chat = addMeetingOptions(
    command('chat', 'take part in a meeting from the terminal'),
    'join as a host',
  )
    .option('--video', 'show pictures in the terminal')
    .addOption(
      new Option('--layout <layout>', 'show the active speaker, or four pictures')
        .choices(['speaker', 'gallery'])
        .default('speaker'),
    )
    .option('--audio', 'play the sound of the meeting')
    .option('--mic [device]', 'send the sound of a microphone, by its ALSA name or the default one')
    .option('--plain', 'write lines and nothing else, as without a terminal')
    .option('--relay', 'send and receive through TURN only')
    .addOption(
      new Option('--reconnect-timeout <time>', 'how long to try to come back after a cut')
        .argParser(parseDuration)
        .default(60_000, '60s'),
    )
    .addOption(new Option('--ffmpeg <path>', 'ffmpeg to use').env('MEET_FFMPEG'));
  action<ChatCommandOptions>(chat, async ({ context, output }, options, args) => {
    const [meeting = ''] = args;
    const { runChat } = await import('../chat/run.ts');
    return await runChat({ context, output }, meeting, options);
  });
}
