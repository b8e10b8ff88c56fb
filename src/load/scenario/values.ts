/** Values as people write them: times, rates, shares. */
import { MeetError } from '../../protocol/errors.ts';

const SECOND_MS = 1_000;
const TIME_UNITS: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: SECOND_MS,
  m: 60 * SECOND_MS,
  h: 3_600 * SECOND_MS,
};

/** `30s`, `1.5m`, `500ms` or a number of seconds, in milliseconds; `undefined` for anything else. */
export function readDuration(value: string | number): number | undefined {
  if (typeof value === 'number') return value >= 0 ? value * SECOND_MS : undefined;
  const match = /^(\d+(?:\.\d+)?)\s*(us|ms|s|m|h)?$/.exec(value.trim());
  return match ? Number(match[1]) * TIME_UNITS[match[2] ?? 's']! : undefined;
}

/** `20/s`, `300/m` or a number a second, a second; `undefined` for anything else. */
export function readRate(value: string | number): number | undefined {
  if (typeof value === 'number') return value >= 0 ? value : undefined;
  const match = /^(\d+(?:\.\d+)?)\s*(?:\/\s*(s|m|h))?$/.exec(value.trim());
  return match ? (Number(match[1]) * SECOND_MS) / TIME_UNITS[match[2] ?? 's']! : undefined;
}

/** The duration, or an error that names what it is of. @throws MeetError `bad-config` */
export function durationOf(value: string | number, what: string): number {
  const ms = readDuration(value);
  // The longest time that a timer can wait.
  if (ms !== undefined && ms < 2 ** 31) return ms;
  throw new MeetError('bad-config', `${what} cannot be "${value}": give a time such as 30s, 5m or 1h.`);
}

/** The rate, or an error that names what it is of. @throws MeetError `bad-config` */
export function rateOf(value: string | number, what: string): number {
  const rate = readRate(value);
  if (rate !== undefined) return rate;
  throw new MeetError('bad-config', `${what} cannot be "${value}": give a rate such as 20/s or 300/m.`);
}
