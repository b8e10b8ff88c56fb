import type { Registry } from '../program.ts';
import { registerCompress } from './recordings/compress.ts';
import { registerLibrary } from './recordings/library.ts';
import { registerPolicy } from './recordings/policy.ts';
import { registerProcess } from './recordings/process.ts';
import { registerRender } from './recordings/render.ts';
import { registerUpload } from './recordings/upload.ts';

/** Each puts commands into `meet recordings`; they are in files of their own in `recordings/`. */
const COMMANDS: readonly ((recordings: Registry) => void)[] = [
  registerLibrary,
  registerProcess,
  registerRender,
  registerCompress,
  registerUpload,
  registerPolicy,
];

export function registerRecordings({ group }: Registry): void {
  const recordings = group('recordings', 'find, open, keep and delete recordings');
  for (const register of COMMANDS) register(recordings);
}
