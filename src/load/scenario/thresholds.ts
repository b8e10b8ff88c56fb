/** Thresholds: which figures a run has to reach. */
import { MeetError } from '../../protocol/errors.ts';
import { FIGURES } from '../measure/summary.ts';
import { parseCondition } from './condition.ts';
import type { Phase, Threshold } from './types.ts';

/** Share of the checks that held. */
export const CHECKS_FIGURE = 'checks';

export const unitOf = (metric: string) => (metric === CHECKS_FIGURE ? 'share' : FIGURES[metric]?.unit);

/**
 * Reads thresholds such as `join_p95: '<2000ms'` or, of one phase, `'loss{phase:steady}': '<0.5%'`.
 *
 * @throws MeetError `bad-config`
 */
export function readThresholds(
  thresholds: Readonly<Record<string, string | readonly string[]>>,
  phases: readonly Phase[],
): Threshold[] {
  return Object.entries(thresholds).flatMap(([key, conditions]) => {
    const match = /^([\w.]+)(?:\{\s*phase\s*:\s*([^}]+?)\s*\})?$/.exec(key.trim());
    const metric = match?.[1] ?? key;
    const unit = unitOf(metric);
    if (unit === undefined) {
      throw new MeetError('bad-config', `There is no figure "${key}" that a threshold could ask about.`, {
        hint: 'Figures are loss, join_p95, media_latency_p99 …; docs/CLI.md names them all.',
      });
    }
    const phase = match?.[2];
    if (phase !== undefined && !phases.some(({ name }) => name === phase)) {
      throw new MeetError('bad-config', `The threshold "${key}" names a phase that there is not.`);
    }
    return [conditions].flat().map((condition) => {
      parseCondition(condition, unit, `The threshold ${key}`);
      return { metric, condition: condition.trim(), ...(phase === undefined ? {} : { phase }) };
    });
  });
}
