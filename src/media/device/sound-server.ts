import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Whether PulseAudio, or PipeWire in its place, listens for this user. */
export function hasSoundServer(runtimeDir = `/run/user/${process.getuid?.() ?? 0}`): boolean {
  return existsSync(join(runtimeDir, 'pulse', 'native'));
}
