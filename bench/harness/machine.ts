/** What the figures were measured on and with. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, loadavg, release, totalmem, type } from 'node:os';
import { findFfmpeg } from '../../src/media/ffmpeg/locate.ts';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  /** GiB. */
  readonly memory: number;
  readonly kernel: string;
  readonly system: string;
  /** Of the last 1, 5 and 15 minutes, before the first benchmark. */
  readonly loadBefore: readonly number[];
}

export type Versions = Readonly<Record<'node' | 'meet' | 'mediasoup' | 'werift' | 'ffmpeg', string>>;

export function examineMachine(): Machine {
  const all = cpus();
  return {
    cpu: all[0]?.model.trim() ?? 'unknown',
    cores: all.length,
    memory: Math.round((totalmem() / 2 ** 30) * 10) / 10,
    kernel: `${type()} ${release()}`,
    system: systemName(),
    loadBefore: loadavg().map((load) => Math.round(load * 100) / 100),
  };
}

function systemName(): string {
  try {
    return /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'unknown';
  } catch {
    return 'unknown';
  }
}

export async function examineVersions(): Promise<Versions> {
  const { version: ffmpeg } = await findFfmpeg();
  return {
    node: process.versions.node,
    meet: packageVersion('../../package.json'),
    mediasoup: packageVersion('../../node_modules/mediasoup/package.json'),
    werift: packageVersion('../../node_modules/werift/package.json'),
    ffmpeg,
  };
}

function packageVersion(name: string): string {
  const { version } = createRequire(import.meta.url)(name) as { version: string };
  return version;
}
