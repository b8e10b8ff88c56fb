/** The work after the meeting on one recording. */
import { rm } from 'node:fs/promises';
import type { Ffmpeg } from '../../media/ffmpeg/locate.ts';
import { isUnfinished, lastSignOfLife, RecordingFolder } from '../folder/index.ts';
import { makeWorkFolder } from './place.ts';
import type { RetryOptions } from './retry.ts';
import { captionsStep } from './steps/captions.ts';
import { chaptersStep } from './steps/chapters.ts';
import { finishStep } from './steps/finish.ts';
import { type NotedStep, runStep, type Step, type StepName } from './steps/step.ts';
import { thumbnailsStep } from './steps/thumbnails.ts';
import { transcriptStep } from './steps/transcript.ts';
import type { Transcriber } from './transcript/types.ts';

/** Something to watch is there first; what may take long or fail comes after it. */
const STEPS: readonly Step[] = [chaptersStep, finishStep, thumbnailsStep, transcriptStep, captionsStep];

export interface ProcessOptions {
  readonly ffmpeg: Ffmpeg;
  /** Without one there is no transcript. */
  readonly transcriber?: Transcriber | undefined;
  /** Chapters that are shorter become a part of another, milliseconds. */
  readonly minimumChapterMs?: number | undefined;
  /** Steps to do again although they are done. */
  readonly redo?: readonly StepName[];
  /** Leaves steps alone that failed lately, as a run of all recordings does. */
  readonly isPatient?: boolean;
  readonly retry?: RetryOptions;
  readonly onStep?: (name: StepName, state: NotedStep) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface ProcessReport {
  readonly id: string;
  readonly steps: Readonly<Record<StepName, NotedStep>>;
  /** Every step is done or had nothing to do. */
  readonly isDone: boolean;
}

/**
 * Does what is not done yet. A recording whose recorder has died ends where it last gave a sign of life. May be
 * interrupted and killed at any time: the next run goes on with the step that was under way.
 *
 * @throws MeetError `not-found`, `recording-busy` while another process works on the recording, `disk-full` or
 *   `no-permission` when not even the state can be written; the reason of the signal
 */
export async function processRecording(path: string, options: ProcessOptions): Promise<ProcessReport> {
  const folder = await RecordingFolder.open(path);
  let workFolder: string | undefined;
  try {
    await takeUp(folder);
    await forget(folder, options.redo ?? []);
    workFolder = await makeWorkFolder(path);
    const { ffmpeg, transcriber, minimumChapterMs, retry, signal, isPatient = false } = options;
    const context = { folder, ffmpeg, transcriber, minimumChapterMs, workFolder, retry, signal };
    const steps: Partial<Record<StepName, NotedStep>> = {};
    for (const step of STEPS) {
      const state = await runStep(step, context, isPatient);
      steps[step.name] = state;
      options.onStep?.(step.name, state);
    }
    const isDone = Object.values(steps).every(({ state }) => state !== 'failed');
    if (isDone) await folder.become('processed');
    return { id: folder.id, steps: steps as Record<StepName, NotedStep>, isDone };
  } finally {
    if (workFolder !== undefined) await rm(workFolder, { recursive: true, force: true });
    await folder.close();
  }
}

/** Brings the recording into the state `stopped`. */
async function takeUp(folder: RecordingFolder): Promise<void> {
  const { recording, path } = folder;
  if (!isUnfinished(recording.state)) return await folder.become('stopped');
  const stoppedAt = await lastSignOfLife({ path, recording, busy: false });
  const paused = recording.pauses.find(({ to }) => to === undefined);
  // What was paused when the recorder died has ended with the pause's beginning.
  if (paused) await folder.endPause(Math.max(paused.from, stoppedAt));
  await folder.become('stopped', { stoppedAt });
}

async function forget(folder: RecordingFolder, names: readonly StepName[]): Promise<void> {
  for (const name of names) await folder.setStep(name, { state: 'pending', attempts: 0 });
}
