import type { System } from './arguments.ts';

/** The kind of system, by how it captures. */
export function systemOf(platform: NodeJS.Platform): System {
  return platform === 'darwin' || platform === 'win32' ? platform : 'x11';
}
