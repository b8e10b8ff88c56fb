import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import type { CliContext } from './context.ts';

/** Asks for a password on the terminal without showing it; `undefined` when nothing is given. */
export async function askPassword(context: CliContext, question: string): Promise<string | undefined> {
  // readline echoes what is typed to its output; the question itself goes past it.
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: context.stdin, output: silent, terminal: true });
  const closed = new AbortController();
  // In raw mode Ctrl-C is a key and not a signal; the signal ends the question.
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  lines.on('close', () => closed.abort());
  context.stderr.write(question);
  try {
    const signal = AbortSignal.any([closed.signal, context.interrupted]);
    const answer = await lines.question('', { signal });
    return answer === '' ? undefined : answer;
  } catch {
    return undefined;
  } finally {
    lines.close();
    context.stderr.write('\n');
  }
}
