/** What a report says in words: thresholds, absences, and why a result says nothing. */

import type { RunResult, ThresholdResult } from '../run/result.ts';
import type { Outage } from '../run/server-probe.ts';
import { formatMs, formatValue } from './format.ts';

export function thresholdName({ metric, phase }: Pick<ThresholdResult, 'metric' | 'phase'>): string {
  return phase === undefined ? metric : `${metric}{phase:${phase}}`;
}

export function thresholdSentence(threshold: ThresholdResult): string {
  const { condition, value, unit, passed } = threshold;
  const was = value === null ? 'was never measured' : `was ${formatValue(value, unit)}`;
  return `${thresholdName(threshold)} ${was}, ${passed ? 'as wanted' : 'and should have been'} ${condition}`;
}

export function outageSentence({ fromMs, ms, kind, reason, lasting }: Outage): string {
  const what = kind === 'refused' ? 'was away' : 'did not answer';
  const since = `${formatMs(fromMs)} after the start`;
  if (lasting) return `The server ${what} from ${since} to the end of the run (${formatMs(ms)}; ${reason}).`;
  return `The server ${what} for ${formatMs(ms)}, ${since} (${reason}).`;
}

/** One line that says how the run went. */
export function verdict({ passed, valid, interrupted, thresholds }: RunResult): string {
  if (!valid) return 'INVALID: the tester was the bottleneck, the figures say nothing about the server';
  if (interrupted) return 'INTERRUPTED: the run was ended before its time';
  const missed = thresholds.filter((threshold) => !threshold.passed).length;
  if (!passed) return `FAILED: ${missed} of ${thresholds.length} thresholds missed`;
  return thresholds.length === 0 ? 'DONE' : `PASSED: all ${thresholds.length} thresholds met`;
}
