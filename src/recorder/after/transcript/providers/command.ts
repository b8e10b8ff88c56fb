/** A program on this machine, such as whisper.cpp, that is given a WAV file. */
import { readFile, rm } from 'node:fs/promises';
import { capture } from '../../../../media/ffmpeg/process.ts';
import { MeetError } from '../../../../protocol/errors.ts';
import { isMissing } from '../../place.ts';
import type { Transcriber } from '../types.ts';
import { segmentsOfText } from './answer.ts';

export interface CommandOptions {
  /**
   * Program and arguments, separated by spaces; quotes keep an argument with spaces together. `{input}` becomes the WAV
   * file and `{output}` a path without ending, to which the program adds `.json`, `.vtt` or `.srt`; without `{output}` it
   * writes one of these to its standard output.
   */
  readonly command: string;
  readonly language?: string | undefined;
}

/** Models look at half a minute at a time; longer pieces only make for more to do again after a failure. */
const PIECE_MS = 600_000;
const PAUSE_MS = 5_000;
const ENDINGS = ['json', 'vtt', 'srt', 'txt'];

/** @throws MeetError `bad-config` for a command that does not say where the input goes */
export function commandTranscriber({ command, language }: CommandOptions): Transcriber {
  const words = splitCommand(command);
  const [program] = words;
  if (program === undefined || !words.some((word) => word.includes('{input}'))) {
    throw new MeetError(
      'bad-config',
      `The transcriber's command has to name {input}, the file to transcribe.`,
      {
        hint: 'For whisper.cpp: whisper-cli -m MODEL -oj -of {output} {input}',
      },
    );
  }
  return {
    name: program,
    audio: 'wav',
    maximumMs: PIECE_MS,
    pauseMs: PAUSE_MS,
    // Such programs use all cores by themselves.
    concurrency: 1,
    language,
    transcribe: async ({ path, durationMs }, signal) => {
      const output = path.replace(/\.wav$/, '');
      const [first, ...args] = words.map((word) =>
        word.replaceAll('{input}', path).replaceAll('{output}', output),
      );
      const text = await run(first!, args, output, signal);
      const segments = segmentsOfText(text, durationMs);
      if (segments) return segments;
      throw new MeetError('transcription-refused', `${program} wrote neither JSON, WebVTT nor SRT.`, {
        hint: 'Choose one of these formats in its arguments.',
      });
    },
  };
}

async function run(
  program: string,
  args: readonly string[],
  output: string,
  signal?: AbortSignal,
): Promise<string> {
  const ended = await capture(program, args, { ...(signal && { signal }) }).catch((cause: unknown) => {
    if (signal?.aborted) throw cause;
    throw new MeetError('transcription-refused', `${program} cannot be started.`, { cause });
  });
  if (ended.code !== 0) {
    const said = ended.stderr.trim().split('\n').at(-1)?.trim().replace(/\.$/, '');
    throw new MeetError(
      'transcription-failed',
      `${program} ended with status ${ended.code ?? 'unknown'}${said ? `: ${said}` : ''}.`,
    );
  }
  for (const ending of ENDINGS) {
    const path = `${output}.${ending}`;
    try {
      const text = await readFile(path, 'utf8');
      await rm(path, { force: true });
      return text;
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
  return ended.stdout;
}

/** Words as a shell has them, with quotes and without anything else of a shell. */
export function splitCommand(command: string): string[] {
  const words = command.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? [];
  return words.map((word) =>
    word.replace(/"([^"]*)"|'([^']*)'/g, (_, double, single) => double ?? single ?? ''),
  );
}
