import type { Registry } from '../program.ts';

/** Each puts one command into `meet recordings`; they are in files of their own in `recordings/`. */
const COMMANDS: readonly ((recordings: Registry) => void)[] = [];

export function registerRecordings({ group }: Registry): void {
  const recordings = group('recordings', 'find, open, keep and delete recordings');
  for (const register of COMMANDS) register(recordings);
}
