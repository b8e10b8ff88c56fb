/** A step of the work after the meeting: its state, when it is done again, and how. */
import { stat } from 'node:fs/promises';
import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';
import type { Ffmpeg } from '../../../media/ffmpeg/locate.ts';
import { MeetError } from '../../../protocol/errors.ts';
import type { RecordingFolder, StepState } from '../../folder/index.ts';
import type { RetryOptions } from '../retry.ts';
import { mayPass, withRetries } from '../retry.ts';
import type { Transcriber } from '../transcript/types.ts';

export const STEP_NAMES = ['chapters', 'finish', 'thumbnails', 'transcript', 'captions'] as const;
export type StepName = (typeof STEP_NAMES)[number];

export interface StepContext {
  readonly folder: RecordingFolder;
  readonly ffmpeg: Ffmpeg;
  readonly transcriber?: Transcriber | undefined;
  readonly minimumChapterMs?: number | undefined;
  /** For files that are not finished; removed at the end. */
  readonly workFolder: string;
  readonly retry?: RetryOptions | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Step {
  readonly name: StepName;
  /** How often it is tried in a run; twice unless given. */
  readonly attempts?: number;
  /** Changes when the step has to be done again: it says what the result is made of. */
  key(context: StepContext): Promise<string>;
  /** Files of the folder without which it is not done. */
  outputs(context: StepContext): readonly string[];
  /** Does it. A text is the reason why there is nothing to do. */
  run(context: StepContext): Promise<string | undefined>;
}

/** What `recording.json` says of a step of ours. */
const Noted = Type.Object({
  state: Type.String(),
  attempts: Type.Integer(),
  key: Type.Optional(Type.String()),
  /** Before this time a run of all recordings leaves it alone, milliseconds since the epoch. */
  retryAt: Type.Optional(Type.Number()),
});
export type NotedStep = StepState & {
  readonly key?: string;
  readonly retryAt?: number;
  /** What was wrong, by its code. */
  readonly code?: string;
  /** Why it was skipped. */
  readonly note?: string;
  /** What it took, seconds. */
  readonly seconds?: number;
};

/** What failed for want of memory or time may succeed at once; more is for the next run. */
const ATTEMPTS = 2;
/** First wait of a step that failed in a whole run, milliseconds; it doubles with each further run. */
const RERUN_BASE_MS = 60_000;
const RERUN_LONGEST_MS = 6 * 3_600_000;

/** What the recording's file says of the step. */
export function notedStep(folder: RecordingFolder, name: StepName): Static<typeof Noted> | undefined {
  const noted = folder.recording.steps[name];
  return Value.Check(Noted, noted) ? noted : undefined;
}

/**
 * Does a step if it is not done, or if what it is made of has changed, and notes how it went. Errors end in its state; only
 * an abort and a state that cannot be written are thrown.
 *
 * @param isPatient leaves a step alone that failed lately
 */
export async function runStep(step: Step, context: StepContext, isPatient: boolean): Promise<NotedStep> {
  const { folder, signal } = context;
  const before = notedStep(folder, step.name);
  const attempts = before?.attempts ?? 0;
  if (isPatient && before?.state === 'failed' && (before.retryAt ?? 0) > Date.now())
    return folder.recording.steps[step.name]!;
  const begun = performance.now();
  try {
    const key = await step.key(context);
    if (before?.state === 'done' && before.key === key && (await areThere(step.outputs(context))))
      return folder.recording.steps[step.name]!;
    await folder.setStep(step.name, { state: 'running', attempts: attempts + 1 });
    const note = await withRetries(() => step.run(context), {
      ...context.retry,
      attempts: step.attempts ?? ATTEMPTS,
      signal,
    });
    const seconds = Math.round(performance.now() - begun) / 1_000;
    const state: NotedStep =
      note === undefined
        ? { state: 'done', attempts: attempts + 1, key, seconds }
        : { state: 'skipped', attempts: 0, note };
    await folder.setStep(step.name, state);
    return state;
  } catch (cause) {
    signal?.throwIfAborted();
    const error = MeetError.from(cause);
    const waitMs = Math.min(RERUN_LONGEST_MS, RERUN_BASE_MS * 2 ** Math.min(attempts, 20));
    const state: NotedStep = {
      state: 'failed',
      attempts: attempts + 1,
      error: error.message,
      code: error.code,
      retryAt: Date.now() + (mayPass(error) ? waitMs : RERUN_LONGEST_MS),
    };
    await folder.setStep(step.name, state);
    return state;
  }
}

async function areThere(paths: readonly string[]): Promise<boolean> {
  const found = await Promise.all(
    paths.map((path) =>
      stat(path).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.every(Boolean);
}
