/** The key that signs tokens, made once and kept. */
import { randomBytes } from 'node:crypto';
import { link, open, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { MeetError } from '../../protocol/errors.ts';

/** As long as the hash of HS256 (RFC 7518 section 3.2). */
const KEY_BYTES = 32;
const FILE_NAME = 'token.key';

/** A new key. */
export function createTokenKey(): Uint8Array {
  return randomBytes(KEY_BYTES);
}

/**
 * Reads the key of a data directory, making it when there is none. Of two servers that start at once, both get
 * the same key.
 *
 * @throws MeetError `storage-failed` when the file is not a key
 */
export async function loadTokenKey(dataDir: string): Promise<Uint8Array> {
  const file = join(dataDir, FILE_NAME);
  const existing = await readKey(file);
  if (existing !== undefined) return existing;
  // The name appears only once the content is on disk, so that nobody ever reads half a key.
  const temporary = `${file}.${process.pid}.${randomBytes(6).toString('hex')}`;
  const handle = await open(temporary, 'wx', 0o600);
  try {
    try {
      await handle.writeFile(createTokenKey());
      await handle.sync();
    } finally {
      await handle.close();
    }
    await link(temporary, file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } finally {
    await unlink(temporary);
  }
  const key = await readKey(file);
  if (key === undefined) throw unusable(file);
  return key;
}

async function readKey(file: string): Promise<Uint8Array | undefined> {
  let key: Buffer;
  try {
    key = await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  if (key.length !== KEY_BYTES) throw unusable(file);
  return key;
}

function unusable(file: string): MeetError {
  return new MeetError('storage-failed', `${file} does not hold the server's key of ${KEY_BYTES} bytes.`, {
    hint: 'Restore it, or remove it: then all tokens given out so far stop working.',
  });
}
