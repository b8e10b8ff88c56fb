/** The lines around the messages: what the meeting is, how well it goes, and its figures. */
import { harmless } from '../../client/chat/text.ts';
import type { MeetingStats } from '../../client/types.ts';
import type { MeetingInfo } from '../../protocol/model.ts';
import type { LiveRecording, RecordingState } from '../../protocol/recording.ts';
import { duration } from '../chat/format.ts';
import type { ParticipantLine } from '../stats-line.ts';
import { drawable, type EmojiSupport } from '../text/emoji.ts';
import { type Line, type Segment, segment } from './line.ts';

/** The meeting's name and what is special about it. */
export function titleLine(
  { id, title, settings }: MeetingInfo,
  { emoji, layout }: { readonly emoji: EmojiSupport; readonly layout: string },
): Line {
  const marks = [
    ...(settings.locked ? ['locked'] : []),
    ...(settings.waitingRoom ? ['waiting room'] : []),
    ...(layout === 'off' ? [] : [layout]),
  ];
  return [
    segment(` ${drawable(harmless(title ?? 'Meeting'), emoji)}`, 'bold'),
    segment(` ${id}`, 'dim'),
    segment(marks.map((mark) => ` · ${mark}`).join(''), 'warning'),
  ];
}

const RECORDING_WORDS: Readonly<Record<RecordingState, string>> = {
  starting: '● recording starts',
  recording: '● recording',
  paused: '‖ recording paused',
  recovering: '● recorder is being started again',
  stopping: '● recording stops',
};

export interface StatusInput {
  readonly meeting: MeetingInfo;
  readonly recording: LiveRecording | null;
  readonly figures: ParticipantLine;
  readonly unsent: number;
  readonly waiting: boolean;
  readonly reconnecting: { readonly reason: string; readonly sinceMs: number } | undefined;
  readonly now: number;
  /** On `performance.now`'s clock. */
  readonly nowMs: number;
}

/** How long the meeting runs, whether it is recorded, and how much comes and goes how well. */
export function statusLine(input: StatusInput): Line {
  const { meeting, recording, figures, unsent, waiting, reconnecting, now, nowMs } = input;
  const parts: Segment[][] = [];
  if (waiting) parts.push([segment('waiting to be let in', 'warning')]);
  else if (meeting.startedAt !== null) parts.push([segment(duration(now - meeting.startedAt))]);
  if (recording !== null) {
    parts.push([segment(RECORDING_WORDS[recording.state], recording.state === 'paused' ? 'warning' : 'bad')]);
    if (recording.diskFull) parts.push([segment('no space for it', 'bad')]);
  } else if (meeting.settings.recording) parts.push([segment('● to be recorded', 'bad')]);
  if (reconnecting !== undefined) {
    const seconds = Math.floor((nowMs - reconnecting.sinceMs) / 1000);
    parts.push([segment(`reconnecting for ${seconds} s …`, 'bad')]);
  }
  if (unsent > 0) parts.push([segment(`${unsent} unsent`, 'warning')]);
  parts.push([segment(`↓${figures.kbitIn} ↑${figures.kbitOut} kbit/s`)]);
  const loss = figures.recentLoss;
  parts.push([segment(`loss ${loss.toFixed(1)} %`, loss > 5 ? 'bad' : loss > 1 ? 'warning' : undefined)]);
  parts.push([segment(`rtt ${figures.rttMs === undefined ? '-' : `${figures.rttMs.toFixed(0)} ms`}`)]);
  return parts.flatMap((part, index) => (index === 0 ? [segment(' '), ...part] : [segment('  '), ...part]));
}

/** A line for each stream. */
export function statsLines(
  { sent, received, estimate, uplinkEstimate }: MeetingStats,
  labels: ReadonlyMap<string, string>,
): Line[] {
  const kbit = (bits: number | undefined) => (bits === undefined ? '-' : `${Math.round(bits / 1000)} kbit/s`);
  const lines = [
    `bandwidth: ${kbit(estimate)} down, ${kbit(uplinkEstimate)} up`,
    ...sent
      .filter(({ active }) => active)
      .map(
        ({ source, layer, packets, fractionLost, jitterMs }) =>
          `↑ ${source} layer ${layer}: ${packets} packets, ${(fractionLost * 100).toFixed(1)} % lost, jitter ${jitterMs.toFixed(0)} ms`,
      ),
    ...received.map(({ participantId, source, packets, lost, jitterMs, fps, width, height, layer, reason }) =>
      [
        `↓ ${labels.get(participantId) ?? '-'} ${source}`,
        ...(width === undefined ? [] : [` ${width}x${height}`]),
        ...(layer === undefined ? [] : [` layer ${layer} (${reason})`]),
        ...(width === undefined ? [] : [`, ${fps} fps`]),
        `: ${lost} of ${packets + lost} lost, jitter ${jitterMs.toFixed(0)} ms`,
      ].join(''),
    ),
  ];
  return lines.map((line) => [segment(line, 'dim')]);
}
