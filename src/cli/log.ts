import pino, { type Logger } from 'pino';
import { harmless } from '../client/chat/text.ts';
import type { CliContext } from './context.ts';

const LABELS: Readonly<Record<number, string>> = {
  20: 'debug',
  30: 'info',
  40: 'warning',
  50: 'error',
  60: 'fatal',
};

/** The server's log on stderr: JSON lines, or on a terminal the same in words. */
export function openLog({ stderr }: CliContext, level: string): Logger {
  if (stderr.isTTY !== true) return pino({ level }, pino.destination({ dest: 2, sync: true }));
  return pino({ level, base: null }, { write: (line) => void stderr.write(`${inWords(line)}\n`) });
}

function inWords(line: string): string {
  const { level, time, msg, err, ...rest } = JSON.parse(line) as Record<string, unknown> & {
    readonly level: number;
    readonly time: number;
    readonly err?: { readonly message?: string };
  };
  const clock = new Date(time).toTimeString().slice(0, 8);
  const reason = err?.message === undefined ? '' : `: ${err.message}`;
  const details = Object.entries(rest).map(([key, value]) => ` ${key}=${JSON.stringify(value)}`);
  return harmless(`${clock} ${LABELS[level] ?? level}: ${String(msg)}${reason}${details.join('')}`);
}
