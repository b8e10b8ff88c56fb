/** An SFU worker that is killed in the middle of a meeting. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { childrenRunning, create, nothingLeft, serve, stopAll } from '../support/meet-process.ts';
import { expectWhole, idOf, participant } from './meeting.ts';

/** Media has to be back within this time. */
const RECOVERY_MS = 5_000;

let url: string;
beforeEach(async () => {
  ({ url } = await serve(await mkdtemp(join(tmpdir(), 'meet-worker-fault-'))));
}, 60_000);
afterEach(async () => {
  await stopAll();
  await nothingLeft();
});

// The test pattern may still be being encoded by an ffmpeg.
const workers = async () => (await childrenRunning()).filter(({ name }) => name.startsWith('mediasoup'));

test('its meeting goes on within five seconds, with the same participants and none twice', async () => {
  const meeting = await create(url);
  const everybody = [participant(meeting.url, 'Ada'), participant(meeting.url, 'Bob')];
  const ids = await Promise.all(everybody.map(idOf));
  await Promise.all(
    everybody.map((who, index) =>
      who.waitFor('first-media', (event) => event.participantId === ids[1 - index] && event.kind === 'video'),
    ),
  );
  const told = everybody.map((who) => who.all('participant').length);

  for (let round = 0; round < 2; round += 1) {
    const [worker] = await workers();
    const killedAt = Date.now();
    process.kill(worker!.pid, 'SIGKILL');
    const backAt = await Promise.all(
      everybody.flatMap((who, index) =>
        ['audio', 'video'].map(async (kind) => {
          const fits = (event: Record<string, unknown>) =>
            event.participantId === ids[1 - index] && event.kind === kind;
          return Number((await who.next('first-media', fits)).at);
        }),
      ),
    );
    await Promise.all(everybody.map((who) => who.waitFor('reconnected', ({ at }) => Number(at) > killedAt)));
    expect(Math.max(...backAt) - killedAt).toBeLessThan(RECOVERY_MS);
    const replacement = await workers();
    expect(replacement).toHaveLength(1);
    expect(replacement[0]?.pid).not.toBe(worker?.pid);
  }

  await expectWhole(everybody);
  // Nobody came, went or was away: signaling was never broken.
  expect(everybody.map((who) => who.all('participant').length)).toEqual(told);
  for (const who of everybody) expect(await who.stop()).toBe(130);
}, 90_000);
