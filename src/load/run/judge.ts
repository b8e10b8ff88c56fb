/** Holds what was measured against what the scenario wants. */
import type { BotRecord } from '../bot/figures.ts';
import { FIGURES, type Measurements } from '../measure/summary.ts';
import { parseCondition } from '../scenario/condition.ts';
import { CHECKS_FIGURE, unitOf } from '../scenario/thresholds.ts';
import type { Check, Threshold } from '../scenario/types.ts';
import type { CheckResult, ThresholdResult } from './result.ts';

export function judgeChecks(checks: readonly Check[], records: readonly BotRecord[]): CheckResult[] {
  return checks.map(({ name, holds }) => {
    const passed = records.filter((record) => holds({ ...record })).length;
    return { name, passed, failed: records.length - passed };
  });
}

export function judgeThresholds(
  thresholds: readonly Threshold[],
  measured: { readonly total: Measurements; readonly phases: ReadonlyMap<string, Measurements> },
  checks: readonly CheckResult[],
): ThresholdResult[] {
  return thresholds.map((threshold) => {
    const { metric, condition, phase } = threshold;
    const unit = unitOf(metric) ?? 'number';
    const source = phase === undefined ? measured.total : measured.phases.get(phase);
    const value = metric === CHECKS_FIGURE ? shareOf(checks) : figureOf(metric, source);
    const { holds } = parseCondition(condition, unit, metric);
    return { ...threshold, unit, value: Number.isNaN(value) ? null : value, passed: holds(value) };
  });
}

function figureOf(metric: string, source: Measurements | undefined): number {
  const figure = FIGURES[metric];
  return figure === undefined || source === undefined ? Number.NaN : figure.of(source);
}

function shareOf(checks: readonly CheckResult[]): number {
  const passed = checks.reduce((sum, check) => sum + check.passed, 0);
  const all = checks.reduce((sum, check) => sum + check.passed + check.failed, 0);
  return all === 0 ? Number.NaN : passed / all;
}
