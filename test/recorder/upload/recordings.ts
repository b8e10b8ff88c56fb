/** Folders of recordings, and where they are uploaded to, for the tests of the upload. */
import { createHash, randomBytes } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { LocalCopy } from '../../../src/recorder/upload/index.ts';
import type { RetryOptions } from '../../../src/recorder/upload/retry.ts';
import type { TestS3 } from '../../support/s3.ts';

/** Small, so that a test has many: the test's S3 has no least size. */
export const PART_BYTES = 64 * 1024;
export const QUICK: RetryOptions = { attempts: 40, stubborn: false, firstWaitMs: 1, maxWaitMs: 16 };

export const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Location of the bucket, or of what stands in front of it. */
export const locationOf = ({ bucket, endpoint }: Pick<TestS3, 'bucket' | 'endpoint'>, prefix = 'rec') =>
  `s3://${bucket}/${prefix}?endpoint=${encodeURIComponent(endpoint)}&region=us-east-1&path-style=1`;

/** A folder that is gone after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'meet-upload-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** The folder of a finished recording; answers the content of each file. */
export async function makeRecording(folder: string, sizes: Readonly<Record<string, number>>) {
  const files = new Map<string, Buffer>();
  for (const [file, size] of Object.entries(sizes)) {
    const bytes = randomBytes(size);
    await mkdir(join(folder, file, '..'), { recursive: true });
    await writeFile(join(folder, file), bytes);
    files.set(file, bytes);
  }
  return files;
}

/** A live file that grows by fragments. */
export class LiveFile implements LocalCopy {
  readonly path: string;
  /** Nothing more can be written, as on a full disk. */
  full = false;
  #written = 0;

  constructor(folder: string, name = 'live.mp4') {
    this.path = join(folder, name);
  }

  written(): number {
    return this.#written;
  }

  append(bytes: Buffer): Buffer {
    if (this.full) return bytes;
    appendFileSync(this.path, bytes);
    this.#written += bytes.length;
    return bytes;
  }
}

/** Fragment number `sequence` of so many random bytes. */
export function fragmentOf(sequence: number, bytes: number) {
  return {
    sequence,
    decodeTimeMs: (sequence - 1) * 1_000,
    durationMs: 1_000,
    keyframe: true,
    bytes: randomBytes(bytes),
  };
}

export const readJson = async (path: string): Promise<unknown> => JSON.parse(await readFile(path, 'utf8'));
