import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Path of one of the machine's programs. */
export function findProgram(name: string): string {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, name);
    if (existsSync(path)) return path;
  }
  throw new Error(`${name} is not in PATH`);
}
