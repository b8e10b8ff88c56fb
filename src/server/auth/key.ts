/** The key that signs tokens, made once and kept: in the data folder, or in a database that servers share. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MeetError } from '../../protocol/errors.ts';
import { keptFile, type Store } from '../store/index.ts';

/** As long as the hash of HS256 (RFC 7518 section 3.2). */
const KEY_BYTES = 32;
const FILE_NAME = 'token.key';
const SECRET_NAME = 'token-key';

/**
 * The key of this server: with PostgreSQL that of all servers of the database, else that of the data folder. Of two
 * servers that start at once, both get the same key.
 *
 * @throws MeetError `storage-failed` when what is kept is not a key
 */
export async function loadTokenKey(dataDir: string, store: Store): Promise<Uint8Array> {
  if (store.engine === 'postgres') {
    const text = await store.secrets.getOrCreate(SECRET_NAME, () =>
      randomBytes(KEY_BYTES).toString('base64'),
    );
    return checked(Buffer.from(text, 'base64'), `The secret "${SECRET_NAME}" of the database`);
  }
  const file = join(dataDir, FILE_NAME);
  return checked(await keptFile(file, () => randomBytes(KEY_BYTES)), file);
}

/**
 * The key that a server has made already, for tokens that are made beside it.
 *
 * @throws MeetError `bad-config` where there is none
 */
export async function readTokenKey(dataDir: string, store?: Store): Promise<Uint8Array> {
  if (store !== undefined) return await loadTokenKey(dataDir, store);
  const file = join(dataDir, FILE_NAME);
  const key = await readFile(file).catch((cause: unknown) => {
    throw new MeetError('bad-config', `There is no server's key in ${dataDir}.`, {
      cause,
      hint: 'Give the data folder of a server that has run, or its key with --token-key.',
    });
  });
  return checked(key, file);
}

function checked(key: Uint8Array, where: string): Uint8Array {
  if (key.length === KEY_BYTES) return key;
  throw new MeetError('storage-failed', `${where} does not hold the server's key of ${KEY_BYTES} bytes.`, {
    hint: 'Restore it, or remove it: then all tokens given out so far stop working.',
  });
}
