import { constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import { runCommand } from '../command.ts';

/** Exit code of a worker that is started without MEDIASOUP_VERSION (mediasoup's worker/src/main.cpp). */
const NO_PARENT = 41;

/** Builds of ours carry this text; the official binaries carry no version. */
const BUILT_VERSION = /meet-mediasoup-worker (\d+\.\d+\.\d+)/;

/**
 * Tries the binary at `path`: `undefined` when it is the worker, runs on this machine and, as far as it can
 * tell, has the wanted version; else a clause that says what is wrong with it.
 */
export async function workerFault(path: string, version: string): Promise<string | undefined> {
  try {
    await access(path, constants.X_OK);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'does not exist' : 'is not executable';
  }
  const built = await builtVersion(path);
  if (built !== undefined && built !== version) return `is version ${built}, not ${version}`;
  const { code } = await runCommand(path, [], { env: {}, signal: AbortSignal.timeout(5000) }).catch(() => ({
    code: -1,
  }));
  return code === NO_PARENT ? undefined : 'does not run on this machine as a mediasoup worker';
}

/** Version inside a binary that the source build of this package made, `undefined` for any other. */
export async function builtVersion(path: string): Promise<string | undefined> {
  const binary = await readFile(path).catch(() => Buffer.alloc(0));
  const at = binary.indexOf('meet-mediasoup-worker ');
  if (at < 0) return undefined;
  return BUILT_VERSION.exec(binary.toString('latin1', at, at + 64))?.[1];
}
