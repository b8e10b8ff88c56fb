/** What whoever started the recorder tells it while it runs: lines of JSON on stdin. */
import { createInterface } from 'node:readline';
import { Value } from 'typebox/value';
import { RecorderControl } from '../../protocol/recorder.ts';
import type { RecorderSession } from '../../recorder/session/session.ts';

/**
 * Does what the lines say, until `close`. A line that is none of the commands is passed to `onUnknown`; the end of the
 * stream says nothing, since whoever started the recorder may die while it goes on.
 */
export function obey(
  input: NodeJS.ReadableStream,
  session: RecorderSession,
  onUnknown: (line: string) => void,
): { close(): void } {
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  // A pipe that breaks says no more than one that ends.
  input.on('error', () => lines.close());
  lines.on('line', (line) => {
    const control = parseControl(line);
    if (control === undefined) onUnknown(line);
    else void apply(session, control);
  });
  return {
    close: () => {
      lines.close();
      // An open pipe would keep the process alive.
      if ('destroy' in input && typeof input.destroy === 'function') input.destroy();
    },
  };
}

async function apply(session: RecorderSession, control: RecorderControl): Promise<void> {
  const { layout, pin, paused, stop } = control;
  if (layout !== undefined || pin !== undefined) session.setLayout(layout ?? session.layout, pin);
  if (paused !== undefined) await session.setPaused(paused);
  if (stop === true) session.stop();
}

function parseControl(line: string): RecorderControl | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return Value.Check(RecorderControl, value) ? value : undefined;
  } catch {
    return undefined;
  }
}
