/** A screen without a monitor: Xvfb, on a display number of its own choosing. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** Xvfb is there. */
export const hasXvfb = existsSync('/usr/bin/Xvfb');

export interface Screen {
  /** Such as `:5`. */
  readonly display: string;
  close(): Promise<void>;
}

export async function startScreen({ width = 1280, height = 720 } = {}): Promise<Screen> {
  // The number is written to descriptor 3; a pipe to stdin would not tell us of its end.
  const args = ['-displayfd', '3', '-screen', '0', `${width}x${height}x24`, '-nolisten', 'tcp', '-noreset'];
  const child = spawn('Xvfb', args, { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdio[3] as Readable });
  const [number] = (await Promise.race([
    once(lines, 'line'),
    exited.then(() => {
      throw new Error('Xvfb ended');
    }),
  ])) as [string];
  return {
    display: `:${number}`,
    close: async () => {
      child.kill();
      await exited;
    },
  };
}
