/** `HH:MM:SS.mmm` of milliseconds, as WebVTT section 4.1 has it; with another separator for SRT. */
export function timestamp(ms: number, separator = '.'): string {
  const whole = Math.max(0, Math.round(ms));
  const pad = (value: number, digits: number) => String(value).padStart(digits, '0');
  const seconds = Math.floor(whole / 1_000);
  return [
    pad(Math.floor(seconds / 3_600), 2),
    pad(Math.floor(seconds / 60) % 60, 2),
    `${pad(seconds % 60, 2)}${separator}${pad(whole % 1_000, 3)}`,
  ].join(':');
}

/** Milliseconds of `[HH:]MM:SS.mmm` or `[HH:]MM:SS,mmm`; `undefined` for anything else. */
export function parseTimestamp(text: string): number | undefined {
  const match = /^(?:(\d+):)?(\d{1,2}):(\d{2})[.,](\d{1,3})$/.exec(text.trim());
  if (!match) return undefined;
  const [, hours = '0', minutes, seconds, fraction] = match;
  return (
    (Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds)) * 1_000 +
    Number(fraction!.padEnd(3, '0'))
  );
}
