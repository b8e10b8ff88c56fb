import { type Command, Option } from 'commander';
import type { TranscriberKind } from '../../../recorder/after/transcript/providers/open.ts';

/** Who makes transcripts; each is also a setting of `meet config`. */
export interface TranscriberOptions {
  readonly transcriber?: TranscriberKind | 'none';
  readonly transcriberUrl?: string;
  readonly transcriberKey?: string;
  readonly transcriberModel?: string;
  readonly transcriberCommand?: string;
  readonly transcriberBucket?: string;
  readonly transcriberLanguage?: string;
}

const KINDS: readonly (TranscriberKind | 'none')[] = ['openai', 'aws', 'google', 'command', 'none'];

export function addTranscriberOptions(command: Command): void {
  command
    .addOption(
      new Option(
        '--transcriber <kind>',
        'who makes the transcript: a server with the interface of OpenAI, AWS Transcribe, Google Speech, or a command',
      )
        .choices(KINDS)
        .env('MEET_TRANSCRIBER'),
    )
    .addOption(
      new Option(
        '--transcriber-url <url>',
        'base URL of the server, up to and with /v1, in place of the usual one',
      ).env('MEET_TRANSCRIBER_URL'),
    )
    .addOption(
      new Option('--transcriber-key <key>', 'its API key; for Google also "Bearer TOKEN"').env(
        'MEET_TRANSCRIBER_KEY',
      ),
    )
    .addOption(new Option('--transcriber-model <name>', 'the model to use').env('MEET_TRANSCRIBER_MODEL'))
    .addOption(
      new Option(
        '--transcriber-command <command>',
        'program and arguments; {input} is a WAV file, {output} a path to which .json, .vtt or .srt is added',
      ).env('MEET_TRANSCRIBER_COMMAND'),
    )
    .addOption(
      new Option('--transcriber-bucket <s3-url>', 'where AWS Transcribe reads the speech from').env(
        'MEET_TRANSCRIBER_BUCKET',
      ),
    )
    .addOption(
      new Option('--transcriber-language <tag>', 'language of the meetings, such as en or de-AT').env(
        'MEET_TRANSCRIBER_LANGUAGE',
      ),
    );
}
