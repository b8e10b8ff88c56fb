import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { MeetError } from '../../protocol/errors.ts';
import { keptFile } from './kept-file.ts';

const FILE_NAME = 'server.id';

/**
 * Who this server is among those that share a database, kept in its data folder: after a crash it finds those who
 * were in its meetings by it, and leaves those of other servers alone.
 *
 * @throws MeetError `storage-failed` when the file is damaged
 */
export async function loadServerId(dataDir: string): Promise<string> {
  await mkdir(dataDir, { recursive: true, mode: 0o750 });
  const file = join(dataDir, FILE_NAME);
  const id = (await keptFile(file, () => Buffer.from(`${randomUUID()}\n`))).toString('utf8').trim();
  if (/^[\w-]{1,64}$/.test(id)) return id;
  throw new MeetError('storage-failed', `${file} does not hold the server's id.`, {
    hint: 'Remove it: the server then makes another one.',
  });
}
