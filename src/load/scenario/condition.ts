/** Conditions such as `<2000ms`, `<=0.5%` or `>400`. */
import { MeetError } from '../../protocol/errors.ts';
import { readDuration } from './values.ts';

export type Unit = 'ms' | 'share' | 'number';

export interface Condition {
  readonly holds: (value: number) => boolean;
  /** In the unit of the figure. */
  readonly limit: number;
}

const OPERATORS: Readonly<Record<string, (value: number, limit: number) => boolean>> = {
  '<': (value, limit) => value < limit,
  '<=': (value, limit) => value <= limit,
  '>': (value, limit) => value > limit,
  '>=': (value, limit) => value >= limit,
  '==': (value, limit) => value === limit,
  '!=': (value, limit) => value !== limit,
};
const BIT_UNITS: Readonly<Record<string, number>> = { k: 1e3, M: 1e6, G: 1e9 };

/**
 * @param unit of what is compared: times are written with their unit, shares as percent or as 0 to 1
 * @throws MeetError `bad-config`
 */
export function parseCondition(text: string, unit: Unit, what: string): Condition {
  const match = /^\s*(<=|>=|==|!=|<|>)\s*(\S.*?)\s*$/.exec(text);
  const operator = OPERATORS[match?.[1] ?? ''];
  const limit = match && readLimit(match[2]!, unit);
  if (operator === undefined || limit === undefined || limit === null) {
    const example = { ms: '<200ms', share: '<0.5%', number: '<1' }[unit];
    throw new MeetError('bad-config', `${what} cannot be "${text}": write it as "${example}".`);
  }
  // A figure that was never measured meets nothing.
  return { limit, holds: (value) => !Number.isNaN(value) && operator(value, limit) };
}

function readLimit(text: string, unit: Unit): number | undefined {
  if (unit === 'ms') return /^[\d.]+$/.test(text) ? plainNumber(text) : readDuration(text);
  if (text.endsWith('%')) {
    const percent = plainNumber(text.slice(0, -1).trim());
    return unit === 'share' && percent !== undefined ? percent / 100 : undefined;
  }
  const factor = unit === 'number' ? BIT_UNITS[text.at(-1)!] : undefined;
  if (factor !== undefined) {
    const value = plainNumber(text.slice(0, -1).trim());
    return value === undefined ? undefined : value * factor;
  }
  return plainNumber(text);
}

function plainNumber(text: string): number | undefined {
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) : undefined;
}
