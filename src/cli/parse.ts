/** Values of options, checked as they are read. */
import { InvalidArgumentError } from 'commander';

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

export function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new InvalidArgumentError('Give a port from 0 to 65535.');
  return port;
}

/** A whole number of at least `minimum`. */
export function parseCount(minimum: number): (text: string) => number {
  return (text) => {
    const count = Number(text);
    if (!/^\d+$/.test(text) || count < minimum || count > 1_000_000) {
      throw new InvalidArgumentError(`Give a whole number of at least ${minimum}.`);
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

/** Values separated by commas, without empty ones. */
export function parseList(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part.length > 0);
}
