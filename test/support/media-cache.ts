import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** One cache for all test files of a machine: a clip is encoded once, not once a test. */
export function mediaCacheDir(): string {
  return join(tmpdir(), 'meet-test-media');
}
