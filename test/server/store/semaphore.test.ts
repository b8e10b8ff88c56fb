import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Semaphore } from '../../../src/server/store/semaphore.ts';

const busy = () => new Error('busy');

test('never more run at once than there are slots, and all in their order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.record({ turns: fc.nat(3), fails: fc.boolean() }), { maxLength: 30 }),
      async (slots, calls) => {
        const semaphore = new Semaphore({ slots, maxWaiting: calls.length });
        const started: number[] = [];
        let running = 0;
        let most = 0;
        const results = await Promise.allSettled(
          calls.map(({ turns, fails }, index) =>
            semaphore.run(async () => {
              started.push(index);
              running += 1;
              most = Math.max(most, running);
              for (let i = 0; i < turns; i++) await turn();
              running -= 1;
              if (fails) throw new Error('failed');
            }, busy),
          ),
        );
        expect(results.map(({ status }) => status === 'rejected')).toEqual(calls.map(({ fails }) => fails));
        expect(started).toEqual(calls.map((_, index) => index));
        expect(most).toBeLessThanOrEqual(slots);
      },
    ),
  );
});

test('who would wait behind too many is refused, until they are through', async () => {
  const semaphore = new Semaphore({ slots: 1, maxWaiting: 1 });
  const gate = Promise.withResolvers<void>();
  const calls = [semaphore.run(() => gate.promise, busy), semaphore.run(async () => {}, busy)];
  await expect(semaphore.run(async () => {}, busy)).rejects.toThrow('busy');
  gate.resolve();
  await Promise.all(calls);
  await expect(semaphore.run(async () => 'in', busy)).resolves.toBe('in');
});
