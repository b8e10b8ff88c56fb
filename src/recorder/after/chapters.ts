/** Chapters of a recording, from who spoke and who shared a screen. */
import { outputTimeMs, type Recording } from '../folder/index.ts';
import type { RecordingEvent } from '../types.ts';

export interface Chapter {
  /** Milliseconds of output time. */
  readonly startMs: number;
  readonly endMs: number;
  readonly title: string;
}

export interface ChapterOptions {
  /** Length of the output, milliseconds. */
  readonly durationMs: number;
  /** What is shorter becomes a part of its neighbour, milliseconds. */
  readonly minimumMs?: number;
}

/** Shorter ones make a list that nobody reads. */
export const MINIMUM_CHAPTER_MS = 30_000;
/** Who has this much of a chapter's speech is named beside the one who has most. */
const NAMED_SHARE = 0.3;

/** What the meeting is about at a time: a screen, or else whoever speaks. */
interface Stretch {
  readonly startMs: number;
  readonly endMs: number;
  /** Id of the participant whose screen it is. */
  readonly sharer?: string;
  /** How long each spoke, milliseconds by participant id. */
  readonly spoken: ReadonlyMap<string, number>;
}

/**
 * Chapters without gaps from 0 to the end, the first of which begins at 0; none for an empty recording. A shared screen
 * is a chapter, as is a time in which the same people speak.
 */
export function chaptersOf(
  events: readonly RecordingEvent[],
  timeline: Pick<Recording, 'startedAt' | 'pauses' | 'title'>,
  { durationMs, minimumMs = MINIMUM_CHAPTER_MS }: ChapterOptions,
): Chapter[] {
  if (!(durationMs > 0)) return [];
  const names = new Map<string, string>();
  for (const event of events) if (event.type === 'participant') names.set(event.id, event.name);
  const stretches = stretchesOf(events, timeline, durationMs);
  const title = (stretch: Stretch) => titleOf(stretch, names) ?? timeline.title ?? 'Start';
  return mergeTitles(
    mergeShort(stretches, minimumMs).map((stretch) => ({
      startMs: Math.round(stretch.startMs),
      endMs: Math.round(stretch.endMs),
      title: title(stretch),
    })),
  );
}

/** One stretch from each change to the next. */
function stretchesOf(
  events: readonly RecordingEvent[],
  timeline: Pick<Recording, 'startedAt' | 'pauses'>,
  durationMs: number,
): Stretch[] {
  const stretches: Stretch[] = [];
  const sharers: string[] = [];
  let speaker: string | undefined;
  let startMs = 0;
  const endStretch = (endMs: number) => {
    const sharer = sharers.at(-1);
    const previous = stretches.at(-1);
    if (endMs <= startMs) return;
    const spoken = new Map(speaker === undefined ? [] : [[speaker, endMs - startMs]]);
    const next = { startMs, endMs, spoken, ...(sharer === undefined ? {} : { sharer }) };
    if (previous && isSame(previous, next)) stretches[stretches.length - 1] = joined(previous, next);
    else stretches.push(next);
    startMs = endMs;
  };
  for (const event of events) {
    const change = changeOf(event, sharers, speaker);
    if (change === undefined) continue;
    endStretch(Math.min(durationMs, Math.max(0, outputTimeMs(timeline, event.at))));
    speaker = change.speaker;
    sharers.splice(0, sharers.length, ...change.sharers);
  }
  endStretch(durationMs);
  return stretches;
}

function changeOf(
  event: RecordingEvent,
  sharers: readonly string[],
  speaker: string | undefined,
): { speaker: string | undefined; sharers: readonly string[] } | undefined {
  if (event.type === 'speakers') {
    // In a silence the last one who spoke is still whose turn it is.
    const [first = speaker] = event.participantIds;
    return first === speaker ? undefined : { speaker: first, sharers };
  }
  if (event.type === 'share') {
    const others = sharers.filter((id) => id !== event.participantId);
    return { speaker, sharers: event.on ? [...others, event.participantId] : others };
  }
  if (event.type === 'participant' && event.state === 'left') {
    return { speaker, sharers: sharers.filter((id) => id !== event.id) };
  }
  return undefined;
}

const lengthOf = ({ startMs, endMs }: Stretch): number => endMs - startMs;

function isSame(a: Stretch, b: Stretch): boolean {
  if (a.sharer !== undefined || b.sharer !== undefined) return a.sharer === b.sharer;
  return mainSpeaker(a) === mainSpeaker(b);
}

const mainSpeaker = ({ spoken }: Stretch): string | undefined => byTime(spoken)[0]?.[0];

const byTime = (spoken: ReadonlyMap<string, number>): [string, number][] =>
  [...spoken].sort(([, a], [, b]) => b - a);

/** Both as one, about what the longer is about. */
function joined(a: Stretch, b: Stretch): Stretch {
  const sharer = lengthOf(a) >= lengthOf(b) ? a.sharer : b.sharer;
  const spoken = new Map(a.spoken);
  for (const [id, ms] of b.spoken) spoken.set(id, (spoken.get(id) ?? 0) + ms);
  return { startMs: a.startMs, endMs: b.endMs, spoken, ...(sharer === undefined ? {} : { sharer }) };
}

/** Joins the shortest to a neighbour until none is too short. */
function mergeShort(stretches: readonly Stretch[], minimumMs: number): Stretch[] {
  const merged = [...stretches];
  while (merged.length > 1) {
    const shortest = merged.reduce((a, b) => (lengthOf(b) < lengthOf(a) ? b : a));
    if (lengthOf(shortest) >= minimumMs) break;
    const index = merged.indexOf(shortest);
    const first = prefersNext(merged, index) ? index : index - 1;
    merged.splice(first, 2, joined(merged[first]!, merged[first + 1]!));
    // What was interrupted goes on.
    for (const at of [first, first - 1]) {
      const [one, other] = [merged[at], merged[at + 1]];
      if (one && other && isSame(one, other)) merged.splice(at, 2, joined(one, other));
    }
  }
  return merged;
}

/** Whether the stretch goes better with the next one: of its own kind, or else the shorter one, so that lengths are alike. */
function prefersNext(stretches: readonly Stretch[], index: number): boolean {
  const [previous, stretch, next] = [stretches[index - 1], stretches[index]!, stretches[index + 1]];
  if (!previous) return true;
  if (!next) return false;
  const isAkin = (other: Stretch) => (other.sharer === undefined) === (stretch.sharer === undefined);
  if (isAkin(previous) !== isAkin(next)) return isAkin(next);
  return lengthOf(next) < lengthOf(previous);
}

function titleOf({ sharer, spoken }: Stretch, names: ReadonlyMap<string, string>): string | undefined {
  const nameOf = (id: string) => names.get(id) ?? 'Somebody';
  if (sharer !== undefined) return `${nameOf(sharer)} shares the screen`;
  const [first, second] = byTime(spoken);
  if (!first) return undefined;
  const whole = [...spoken.values()].reduce((sum, ms) => sum + ms, 0);
  return second && second[1] >= whole * NAMED_SHARE
    ? `${nameOf(first[0])} and ${nameOf(second[0])} speaking`
    : `${nameOf(first[0])} speaking`;
}

/** Two in a row with the same title are one. */
function mergeTitles(chapters: readonly Chapter[]): Chapter[] {
  const merged: Chapter[] = [];
  for (const chapter of chapters) {
    const previous = merged.at(-1);
    if (previous?.title === chapter.title) merged[merged.length - 1] = { ...previous, endMs: chapter.endMs };
    else merged.push(chapter);
  }
  return merged;
}
