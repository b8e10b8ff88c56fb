/** What a recorder's events change of the recording that is stored. */
import type { RecorderEvent } from '../../protocol/recorder.ts';
import type { RecorderRecord, Recording, RecordingPatch } from '../store/index.ts';

/** What others are told of. */
export type RecordingNews = 'started' | 'stopped' | 'disk-full' | 'failed' | 'ready' | 'restarted';

export interface Progress {
  readonly patch: RecordingPatch;
  readonly news: readonly RecordingNews[];
}

/** The change that events make, in their order. What they say a second time changes nothing. */
export function progressOf(recording: Recording, events: readonly RecorderEvent[], read: number): Progress {
  const next: Recording = structuredClone(recording);
  const recorder: RecorderRecord | null = next.recorder && { ...next.recorder, read };
  next.recorder = recorder;
  const news: RecordingNews[] = [];
  for (const event of events) apply(next, event, news);
  const { status, startedAt, endedAt, durationMs, sizeBytes, location, pauses, steps } = next;
  return {
    patch: { status, startedAt, endedAt, durationMs, sizeBytes, location, pauses, steps, recorder },
    news,
  };
}

function apply(next: Recording, event: RecorderEvent, news: RecordingNews[]): void {
  const at = Math.round(event.at);
  // Whatever a recorder says of its recording: it is there again.
  if (next.recorder !== null && /^recording-/.test(event.event)) next.recorder.recovering = false;
  switch (event.event) {
    case 'recording-started':
      // A recorder that was started again says it again.
      if (next.startedAt !== null) return;
      next.startedAt = Math.round(event.startedAt ?? at);
      news.push('started');
      return;
    case 'recording-state':
      setPaused(next, event.state === 'paused', at);
      return;
    case 'disk-full':
    case 'disk-free': {
      const full = event.event === 'disk-full';
      if (next.recorder === null || next.recorder.diskFull === full) return;
      next.recorder.diskFull = full;
      if (full) news.push('disk-full');
      return;
    }
    case 'uploaded':
      next.location = event.location;
      return;
    case 'stopped':
      stop(next, at, news);
      return;
    case 'step': {
      const { step: name, state, error = event.note } = event;
      const step = { name, state, ...(error === undefined ? {} : { error }) };
      const known = next.steps.findIndex((one) => one.name === name);
      if (known < 0) next.steps.push(step);
      else next.steps[known] = step;
      return;
    }
    case 'finished':
      stop(next, at, news);
      next.durationMs = Math.round(event.durationMs);
      next.sizeBytes = Math.round(event.sizeBytes);
      next.location = event.location ?? next.location;
      if (next.recorder?.stage === 'record') next.recorder.stage = 'recorded';
      return;
    case 'processed':
      if (next.recorder?.stage === 'process') next.recorder.stage = 'processed';
  }
}

function setPaused(next: Recording, paused: boolean, at: number): void {
  const last = next.pauses.at(-1);
  const open = last !== undefined && last.to === null;
  if (paused && !open) next.pauses.push({ from: at, to: null });
  else if (!paused && open) last.to = at;
}

function stop(next: Recording, at: number, news: RecordingNews[]): void {
  if (next.status !== 'recording') return;
  setPaused(next, false, at);
  next.status = 'processing';
  next.endedAt = at;
  news.push('stopped');
}
