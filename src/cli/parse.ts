/** Values of options, checked as they are read. */
import { isIP } from 'node:net';
import { InvalidArgumentError } from 'commander';
import { readRate } from '../load/scenario/values.ts';

/** Ten years; a token that outlives its server is a mistake. */
const MAX_TTL_MS = 10 * 366 * 86_400_000;

/** `30`, `30s`, `5m`, `2h` or `500ms`, in milliseconds. */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text.trim());
  const unit = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }[match?.[2] ?? 's'];
  const value = Number(match?.[1]) * (unit ?? Number.NaN);
  // setTimeout's limit; a meeting of 24 days is a mistake.
  if (!(value > 0 && value < 2 ** 31))
    throw new InvalidArgumentError('Give a time such as 30, 30s, 5m or 1h.');
  return value;
}

/** Minutes, or a time with its unit: `5`, `90s`, `1h`; in milliseconds. */
export function parseMinutes(text: string): number {
  return parseDuration(/^\d+(?:\.\d+)?$/.test(text.trim()) ? `${text.trim()}m` : text);
}

export function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new InvalidArgumentError('Give a port from 0 to 65535.');
  return port;
}

/** A whole number from `minimum` to `maximum`. */
export function parseCount(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const count = Number(text);
    if (!/^\d+$/.test(text) || count < minimum || count > maximum) {
      throw new InvalidArgumentError(`Give a whole number from ${minimum} to ${maximum}.`);
    }
    return count;
  };
}

export function parseName(text: string): string {
  const name = text.trim();
  if (name.length === 0 || name.length > 80)
    throw new InvalidArgumentError('Give a name of 1 to 80 characters.');
  return name;
}

/** A point in time, milliseconds since the epoch. */
export function parseTime(text: string): number {
  const time = Date.parse(text);
  if (!(time >= 0)) throw new InvalidArgumentError('Give a time such as 2030-05-01T10:00:00Z.');
  return time;
}

/** Requests a second, or `false` for `off`. */
export function parseRateLimit(text: string): number | false {
  if (text === 'off') return false;
  const requests = Number(text);
  if (!/^\d+$/.test(text) || requests < 1 || requests > 1_000_000)
    throw new InvalidArgumentError('Give a number of requests a second, or "off".');
  return requests;
}

/** A rate such as `20/s`, as it is: whoever uses it reads it. */
export function parseRate(text: string): string {
  if (readRate(text) === undefined) throw new InvalidArgumentError('Give a rate such as 20/s or 300/m.');
  return text;
}

/** A time such as `30s`, as it is. */
export function parseTimeText(text: string): string {
  parseDuration(text);
  return text;
}

/** Values separated by commas, without empty ones. */
export function parseList(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part.length > 0);
}

/** IP addresses separated by commas. */
export function parseAddresses(text: string): string[] {
  const addresses = parseList(text);
  const wrong = addresses.find((address) => isIP(address) === 0);
  if (wrong !== undefined || addresses.length === 0)
    throw new InvalidArgumentError(`"${wrong ?? ''}" is not an IP address.`);
  return addresses;
}

/** A time of up to some years, also in days: `30d`, in milliseconds. */
export function parseTtl(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text.trim());
  const unit = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[match?.[2] ?? ''];
  const value = Math.round(Number(match?.[1]) * (unit ?? Number.NaN));
  if (!(value > 0 && value <= MAX_TTL_MS))
    throw new InvalidArgumentError('Give a time such as 30m, 12h or 30d.');
  return value;
}

/** `10/h`, `100/d`, `5/m`, or `off`: how many in which time. */
export function parseCreateLimit(text: string): { count: number; windowMs: number } | false {
  if (text === 'off') return false;
  const match = /^(\d{1,7})\/(s|m|h|d)$/.exec(text.trim());
  const windowMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[match?.[2] ?? ''];
  const count = Number(match?.[1]);
  if (windowMs === undefined || !(count >= 1))
    throw new InvalidArgumentError('Give a number such as 10/h, or "off".');
  return { count, windowMs };
}

/** `5`, `5/20` (messages a second, and at once), or `off`. */
export function parseChatRate(text: string): { perSecond: number; burst: number } | false {
  if (text === 'off') return false;
  const match = /^(\d{1,6})(?:\/(\d{1,6}))?$/.exec(text.trim());
  const perSecond = Number(match?.[1]);
  const burst = match?.[2] === undefined ? perSecond * 4 : Number(match[2]);
  if (!(perSecond >= 1 && burst >= 1)) {
    throw new InvalidArgumentError('Give messages a second, and at once, as 5/20, or "off".');
  }
  return { perSecond, burst };
}

/** `100MB`, `512kB` or `1GB` (powers of 1,024), or bytes. */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(B|kB|MB|GB)?$/i.exec(text.trim());
  const unit = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 }[(match?.[2] ?? 'B').toLowerCase()];
  const bytes = Math.round(Number(match?.[1]) * (unit ?? Number.NaN));
  if (!(bytes >= 1 && Number.isSafeInteger(bytes)))
    throw new InvalidArgumentError('Give a size such as 100MB.');
  return bytes;
}
