import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MeetError } from '../../../src/protocol/errors.ts';
import { openStore, type StoreOptions } from '../../../src/server/store/index.ts';
import { migrations } from '../../../src/server/store/migrations/index.ts';
import { BOUNDED_ROOT } from '../../support/bounded-root.ts';
import { postgresMissing, startPostgres, type TestPostgres } from '../../support/postgres.ts';
import { smallDisk } from '../../support/small-disk.ts';
import { describeEngines, silent } from './engines.ts';

const run = promisify(execFile);
const opener = fileURLToPath(new URL('./opener.ts', import.meta.url));

/** The error that opening throws; nothing of the password may show in it. */
async function refusal(options: StoreOptions): Promise<MeetError> {
  const error = await openStore(options, silent).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(MeetError);
  expect(String((error as MeetError).message)).not.toContain('hunter2');
  expect((error as MeetError).hint ?? '').not.toContain('hunter2');
  return error as MeetError;
}

describeEngines('opening a new store on {engine}', (engine) => {
  test('from four processes at once migrates it once, and warns nobody', async () => {
    const options = await engine.fresh();
    const openings = await Promise.all(
      Array.from({ length: 4 }, () => run(process.execPath, [opener, JSON.stringify(options)])),
    );
    const reports = openings.map(({ stdout }) => JSON.parse(stdout) as { migrated: number; open: boolean });
    expect(reports.map(({ migrated }) => migrated).sort()).toEqual([0, 0, 0, Object.keys(migrations).length]);
    expect(reports.every(({ open }) => open)).toBe(true);
    expect(openings.map(({ stderr }) => stderr).join('')).toBe('');
  });
});

describe('a data folder', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'meet-store-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('is made with the folders above it', async () => {
    const store = await openStore({ dataDir: join(folder, 'a/b/c') }, silent);
    await store.check();
    await store.close();
  });

  test('that is a file is refused', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    expect(await refusal({ dataDir: file })).toMatchObject({ code: 'no-permission' });
    expect(await refusal({ dataDir: join(file, 'below') })).toMatchObject({ code: 'no-permission' });
  });

  test('that may not be written is refused', async ({ skip }) => {
    const locked = join(folder, 'locked');
    await mkdir(locked);
    await chmod(locked, 0o755);
    if (process.getuid?.() !== 0) {
      await chmod(locked, 0o500);
      expect(await refusal({ dataDir: locked })).toMatchObject({ code: 'no-permission' });
      return;
    }
    // Root may write everywhere, and so a root without that right tries in a process of its own.
    await chmod(locked, 0o500);
    const [setpriv, ...rights] = BOUNDED_ROOT;
    const bounded = [...rights, process.execPath];
    if (!(await run(setpriv, [...bounded, '-e', '']).catch(() => undefined)))
      skip('this root cannot give up rights');
    const attempt = await run(setpriv, [...bounded, opener, JSON.stringify({ dataDir: locked })]).catch(
      (error: { stderr: string }) => error,
    );
    expect(attempt.stderr).toContain("code: 'no-permission'");
  });

  test('with something else in place of the database is refused', async () => {
    const dataDir = join(folder, 'garbage');
    await mkdir(dataDir);
    await writeFile(join(dataDir, 'meet.db'), 'this is no database'.repeat(1000));
    expect(await refusal({ dataDir })).toMatchObject({ code: 'storage-failed' });
  });

  test('on a full disk is refused, and works again with space', async ({ skip }) => {
    const disk = await smallDisk(512 * 1024);
    if (typeof disk === 'string') return skip(disk);
    try {
      const store = await openStore({ dataDir: join(disk.path, 'data') }, silent);
      const { id: meetingId } = await store.meetings.create();
      const { id: senderId } = await store.participants.add({ meetingId, displayName: 'Ann' });
      let stored = 0;
      const fill = async () => {
        for (;;) {
          await store.messages.append({ meetingId, senderId, content: 'x'.repeat(4000) });
          stored++;
        }
      };
      await expect(fill()).rejects.toMatchObject({ code: 'disk-full' });
      expect(await store.messages.page(meetingId, { limit: 1000 })).toHaveLength(stored);
      await disk.grow(4 * 1024 * 1024);
      const next = await store.messages.append({ meetingId, senderId, content: 'y' });
      expect(next.sequence).toBe(stored + 1);
      await store.close();
    } finally {
      await disk.remove();
    }
  });
});

describe('a database URL', () => {
  test.each(['mysql://meet:hunter2@localhost/meet', 'meet:hunter2@localhost', 'postgres://meet:hunter2@:x'])(
    'that is none of PostgreSQL is refused: %s',
    async (databaseUrl) => {
      expect(await refusal({ databaseUrl })).toMatchObject({ code: 'bad-config' });
    },
  );

  test('where nothing listens is refused', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    await new Promise((resolve) => server.close(resolve));
    expect(await refusal({ databaseUrl: `postgres://meet:hunter2@127.0.0.1:${port}/meet` })).toMatchObject({
      code: 'storage-failed',
      message: expect.stringContaining('cannot be reached (ECONNREFUSED)'),
    });
  });

  describe.skipIf(postgresMissing())('of a server', () => {
    let server: TestPostgres;
    beforeAll(async () => {
      server = await startPostgres();
    });
    afterAll(() => server?.stop());

    test('without that database or user is refused', async () => {
      expect(await refusal({ databaseUrl: server.url('nowhere', { password: 'hunter2' }) })).toMatchObject({
        code: 'storage-failed',
        message: expect.stringContaining('does not exist'),
      });
      const databaseUrl = server.url('postgres', { user: 'stranger', password: 'hunter2' });
      expect(await refusal({ databaseUrl })).toMatchObject({ code: 'storage-failed' });
    });

    test('that goes away fails with a sentence, and nothing crashes', async () => {
      const second = await startPostgres();
      const store = await openStore({ databaseUrl: await second.createDatabase() }, silent);
      const { id } = await store.meetings.create();
      await second.stop();
      await expect(store.meetings.get(id)).rejects.toMatchObject({ code: 'storage-failed' });
      await expect(store.check()).rejects.toMatchObject({ code: 'storage-failed' });
      await store.close();
    });
  });
});
