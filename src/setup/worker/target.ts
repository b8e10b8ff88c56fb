import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { dirname, join } from 'node:path';
import { PACKAGE_ROOT } from '../../package-root.ts';
import type { WorkerTarget } from './types.ts';

/** Finds the mediasoup package that this program would load and the project that builds its worker. */
export function findWorkerTarget(): WorkerTarget {
  let root = dirname(createRequire(import.meta.url).resolve('mediasoup'));
  while (!existsSync(join(root, 'worker'))) {
    const parent = dirname(root);
    if (parent === root) throw new Error('The mediasoup package has no worker folder.');
    root = parent;
  }
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  return {
    version,
    sourceDir: join(root, 'worker'),
    projectDir: join(PACKAGE_ROOT, 'native', 'mediasoup-worker'),
    packagedBin: join(root, 'worker', 'out', 'Release', 'mediasoup-worker'),
  };
}

/**
 * Name of the cached binary. The C library is part of it because a home folder can be shared between
 * distributions; shared libraries of another release show when the binary is tried.
 */
export function cachedWorkerName(version: string): string {
  const libc = platform() === 'linux' ? `-${linuxLibc()}` : '';
  return `mediasoup-worker-${version}-${platform()}-${arch()}${libc}`;
}

function linuxLibc(): 'musl' | 'glibc' {
  const loader = { x64: 'x86_64', arm64: 'aarch64', arm: 'armhf' }[arch() as string] ?? arch();
  return existsSync(`/lib/ld-musl-${loader}.so.1`) ? 'musl' : 'glibc';
}
