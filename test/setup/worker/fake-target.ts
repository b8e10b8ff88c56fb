import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { cachedWorkerName } from '../../../src/setup/worker/target.ts';
import type { WorkerTarget } from '../../../src/setup/worker/types.ts';

/**
 * A worker that costs no minute to build: a shell script that answers a start without a parent as the real
 * one does. The set-up cannot tell it from a binary; that a real build works is a test of its own.
 */
export const SCRIPT = '#!/bin/sh\n# meet-mediasoup-worker 9.9.9\nexit 41\n';

export const VERSION = '9.9.9';

export function fakeTarget(folder: string): WorkerTarget {
  return {
    version: VERSION,
    sourceDir: join(folder, 'source'),
    projectDir: join(folder, 'project'),
    packagedBin: join(folder, 'packaged', 'mediasoup-worker'),
  };
}

export function cachedPath(cacheDir: string): string {
  return join(cacheDir, cachedWorkerName(VERSION));
}

export async function writeProgram(path: string, text: string): Promise<string> {
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, text);
  await chmod(path, 0o755);
  return path;
}

/**
 * A CMake project without a compiler whose only object is the script, made by a shell command.
 * @param command what ninja runs; `$1` is the file to make
 */
export async function writeProject(folder: string, command: string): Promise<void> {
  await writeProgram(join(folder, 'make.sh'), `#!/bin/sh\n${command}\n`);
  await writeFile(
    join(folder, 'CMakeLists.txt'),
    [
      'cmake_minimum_required(VERSION 3.20)',
      'project(fake NONE)',
      'add_custom_command(OUTPUT mediasoup-worker VERBATIM',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: CMake's variables, not ours.
      '  COMMAND sh ${CMAKE_SOURCE_DIR}/make.sh ${CMAKE_BINARY_DIR}/mediasoup-worker)',
      'add_custom_target(worker ALL DEPENDS mediasoup-worker)',
    ].join('\n'),
  );
}

/** A gzipped tar archive (ustar) with one file. */
export function tarball(name: string, content: string): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write('0000755\0', 100);
  header.write(`${Buffer.byteLength(content).toString(8).padStart(11, '0')}\0`, 124);
  header.write('0', 156);
  header.write('ustar\0', 257);
  const body = Buffer.alloc(Math.ceil(Buffer.byteLength(content) / 512) * 512);
  body.write(content);
  return gzipSync(Buffer.concat([header, body, Buffer.alloc(1024)]));
}
