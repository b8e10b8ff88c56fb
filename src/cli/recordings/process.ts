import { join, resolve } from 'node:path';
import { findFfmpeg } from '../../media/ffmpeg/locate.ts';
import { EXIT, MeetError } from '../../protocol/errors.ts';
import { type ProcessReport, processRecording } from '../../recorder/after/process.ts';
import type { NotedStep, StepName } from '../../recorder/after/steps/step.ts';
import { openTranscriber } from '../../recorder/after/transcript/providers/open.ts';
import type { Transcriber } from '../../recorder/after/transcript/types.ts';
import {
  isUnfinished,
  type ListedRecording,
  lastSignOfLife,
  listRecordings,
} from '../../recorder/folder/index.ts';
import type { ProcessCommandOptions } from '../commands/recordings/process.ts';
import type { CliContext } from '../context.ts';
import type { Output } from '../output.ts';
import { recordingPath } from './path.ts';

interface Deps {
  readonly context: CliContext;
  readonly output: Output;
}

/** A recorder that died may be back by then and go on with its recording. */
const RECORDER_GONE_MS = 300_000;

/** Finishes one recording, or all that are not done; resolves with the exit code. */
export async function runProcess(
  deps: Deps,
  id: string | undefined,
  options: ProcessCommandOptions,
): Promise<number> {
  if (id !== undefined && options.all)
    throw new MeetError('bad-request', 'Give the id of a recording or --all, not both.');
  const directory = resolve(options.dir);
  const transcriber = await transcriberOf(deps.context, options);
  const one = id === undefined ? undefined : recordingPath(directory, id);
  const paths = one === undefined ? await openWork(directory, deps.output) : [one];
  let code: number = EXIT.done;
  for (const path of paths) {
    try {
      const report = await process(deps, path, options, transcriber, one === undefined);
      if (!report.isDone) code = EXIT.failed;
    } catch (error) {
      deps.context.interrupted.throwIfAborted();
      if (one !== undefined) throw error;
      const failure = MeetError.from(error);
      // Whoever works on it does what is to be done.
      if (failure.code === 'recording-busy') continue;
      deps.output.error(failure);
      code = EXIT.failed;
    }
  }
  return code;
}

async function process(
  { context, output }: Deps,
  path: string,
  options: ProcessCommandOptions,
  transcriber: Transcriber | undefined,
  isPatient: boolean,
): Promise<ProcessReport> {
  const ffmpeg = await findFfmpeg(options.ffmpeg === undefined ? {} : { path: options.ffmpeg });
  const report = await processRecording(path, {
    ...{ ffmpeg, transcriber, minimumChapterMs: options.minChapter, redo: options.redo, isPatient },
    signal: context.interrupted,
    onStep: (name, state) => tellStep(output, path, name, state),
  });
  output.event('processed', { id: report.id, done: report.isDone });
  return report;
}

function tellStep(output: Output, path: string, name: StepName, step: NotedStep): void {
  const { state, error, code, note, seconds } = step;
  const id = path.slice(join(path, '..').length + 1);
  output.event('step', { id, step: name, state, seconds, error, code, note });
  const why = error ?? note;
  const took = state === 'done' && seconds !== undefined ? ` in ${seconds.toFixed(1)} s` : '';
  if (state === 'failed') output.note(`${id}  ${name}: failed: ${why}`);
  else output.line(`${id}  ${name}: ${state}${took}${why === undefined ? '' : `: ${why}`}`);
}

/** Recordings that have stopped and are not done, the oldest first; what cannot be read is said. */
async function openWork(directory: string, output: Output): Promise<string[]> {
  const { recordings, damaged } = await listRecordings(directory);
  for (const { error } of damaged) output.note(error.message);
  const waiting: string[] = [];
  for (const listed of [...recordings].reverse()) if (await isToDo(listed)) waiting.push(listed.path);
  return waiting;
}

async function isToDo(listed: ListedRecording): Promise<boolean> {
  const { state } = listed.recording;
  if (listed.busy) return false;
  return isUnfinished(state)
    ? Date.now() - (await lastSignOfLife(listed)) >= RECORDER_GONE_MS
    : state === 'stopped';
}

async function transcriberOf(
  { env }: CliContext,
  options: ProcessCommandOptions,
): Promise<Transcriber | undefined> {
  const { transcriber: kind = 'none' } = options;
  if (kind === 'none') return undefined;
  // Where everybody else finds it; not for other servers than OpenAI's own.
  const usual = kind === 'openai' && options.transcriberUrl === undefined ? env.OPENAI_API_KEY : undefined;
  return await openTranscriber({
    kind,
    url: options.transcriberUrl,
    key: options.transcriberKey ?? usual,
    model: options.transcriberModel,
    command: options.transcriberCommand,
    bucket: options.transcriberBucket,
    language: options.transcriberLanguage,
  });
}
