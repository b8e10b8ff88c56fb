/** The events that a recorder appends to a file, read on from where the last reader stopped. */
import { open } from 'node:fs/promises';
import { Value } from 'typebox/value';
import { RecorderEvent } from '../../protocol/recorder.ts';

/** A line of an event has some hundred bytes. */
const READ_BYTES = 256 * 1024;

export interface ReadEvents {
  readonly events: RecorderEvent[];
  /** Where to read on: after the last whole line. */
  readonly offset: number;
}

/** Whole lines after `offset`; those that are none of the events are skipped. */
export async function readEvents(file: string, offset: number): Promise<ReadEvents> {
  const handle = await open(file, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (handle === undefined) return { events: [], offset };
  try {
    const events: RecorderEvent[] = [];
    const buffer = Buffer.alloc(READ_BYTES);
    for (let at = offset; ; ) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, at);
      const whole = buffer.subarray(0, bytesRead).lastIndexOf(0x0a) + 1;
      // A line that fills the whole buffer is none of the events.
      const used = whole === 0 && bytesRead === buffer.length ? bytesRead : whole;
      if (used === 0) return { events, offset: at };
      at += used;
      for (const line of buffer.toString('utf8', 0, whole).split('\n')) {
        const event = parse(line);
        if (Value.Check(RecorderEvent, event)) events.push(event);
      }
    }
  } finally {
    await handle.close();
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
