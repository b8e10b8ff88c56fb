/** Values of a report as people read them. */
import type { Unit } from '../scenario/condition.ts';

/** `12.3 ms`, `1.25 s`, `0.05 %`, `12.4k`. */
export function formatValue(value: number | null, unit: Unit): string {
  if (value === null || Number.isNaN(value)) return '–';
  if (unit === 'ms') return formatMs(value);
  if (unit === 'share') return `${trim(value * 100, 3)} %`;
  return formatCount(value);
}

export function formatMs(ms: number): string {
  if (ms < 1_000) return `${trim(ms, ms < 10 ? 2 : ms < 100 ? 1 : 0)} ms`;
  return `${trim(ms / 1_000, ms < 10_000 ? 2 : 1)} s`;
}

/** Counts and rates with a prefix: `999`, `12.3k`, `4.5M`. */
export function formatCount(value: number): string {
  for (const [factor, prefix] of [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e4, 'k'],
  ] as const) {
    if (Math.abs(value) >= factor) return `${trim(value / (prefix === 'k' ? 1e3 : factor), 1)}${prefix}`;
  }
  return trim(value, Number.isInteger(value) ? 0 : 2);
}

const trim = (value: number, digits: number): string => String(Number(value.toFixed(digits)));
