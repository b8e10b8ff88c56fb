import type { Registry } from '../program.ts';

/** Each puts one command into `meet recording`. */
const COMMANDS: readonly ((recording: Registry) => void)[] = [];

export function registerRecording({ group }: Registry): void {
  const recording = group('recording', 'record a meeting on its server');
  for (const register of COMMANDS) register(recording);
}
