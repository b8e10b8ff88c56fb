import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Json, type LiveState, openLiveState } from '../../../src/server/cluster/index.ts';

interface Opened {
  state: LiveState;
  /** Lets so much time pass for what expires. */
  pass(ms: number): Promise<void>;
  /** What was logged as an error. */
  errors: object[];
}

const implementations: { name: string; open(): Promise<Opened> }[] = [
  {
    name: 'memory',
    async open() {
      let now = 1000;
      const errors: object[] = [];
      const state = await openLiveState({ now: () => now }, { error: (fields) => errors.push(fields) });
      return {
        state,
        errors,
        pass: async (ms) => {
          now += ms;
        },
      };
    },
  },
];

describe.each(implementations)('live state in $name', ({ open }) => {
  let state: LiveState;
  let pass: Opened['pass'];
  let errors: object[];
  beforeEach(async () => {
    ({ state, pass, errors } = await open());
  });
  afterEach(() => state.close());

  describe('presence', () => {
    test('lasts from entering to leaving, a meeting apart from others', async () => {
      const { presence } = state;
      expect(await presence.enter('m', 'ann', { server: 'a' }, 1000)).toBe(true);
      expect(await presence.enter('m', 'bob', null, 1000)).toBe(true);
      expect(await presence.enter('m', 'ann', { server: 'b' }, 1000)).toBe(false);
      expect([...(await presence.list('m'))]).toEqual([
        ['ann', { server: 'b' }],
        ['bob', null],
      ]);
      expect(await presence.count('m')).toBe(2);
      expect(await presence.count('other')).toBe(0);
      expect(await presence.leave('m', 'ann')).toBe(true);
      expect(await presence.leave('m', 'ann')).toBe(false);
      expect([...(await presence.list('m')).keys()]).toEqual(['bob']);
      expect(await presence.takeExpired('m')).toEqual(new Map());
    });

    test('lasts as long as heartbeats come', async () => {
      const { presence } = state;
      await presence.enter('m', 'ann', 1, 100);
      for (let beat = 0; beat < 5; beat++) {
        await pass(90);
        expect(await presence.heartbeat('m', 'ann', 100)).toBe(true);
      }
      await pass(100);
      expect(await presence.heartbeat('m', 'ann', 100)).toBe(false);
      expect(await presence.count('m')).toBe(0);
      expect(await presence.list('m')).toEqual(new Map());
      expect(await presence.leave('m', 'ann')).toBe(false);
    });

    test('that ran out is handed out once, unless it came back', async () => {
      const { presence } = state;
      for (const id of ['ann', 'bob', 'eve']) await presence.enter('m', id, id.toUpperCase(), 100);
      await presence.enter('m', 'dan', 'DAN', 10_000);
      await pass(100);
      expect(await presence.enter('m', 'eve', 'EVE', 100)).toBe(true);
      const [first, second] = await Promise.all([presence.takeExpired('m'), presence.takeExpired('m')]);
      expect(new Map([...first, ...second])).toEqual(
        new Map([
          ['ann', 'ANN'],
          ['bob', 'BOB'],
        ]),
      );
      expect(first.size + second.size).toBe(2);
      expect([...(await presence.list('m')).keys()]).toEqual(['dan', 'eve']);
    });
  });

  describe('hashes', () => {
    test('have fields', async () => {
      const { hashes } = state;
      await hashes.set('k', 'a', { n: 1 });
      await hashes.set('k', 'b', false);
      await hashes.set('k', 'a', { n: 2 });
      expect(await hashes.get('k', 'a')).toEqual({ n: 2 });
      expect(await hashes.get('k', 'b')).toBe(false);
      expect(await hashes.get('k', 'c')).toBeUndefined();
      expect(await hashes.all('k')).toEqual(
        new Map<string, Json>([
          ['a', { n: 2 }],
          ['b', false],
        ]),
      );
      expect(await hashes.delete('k', 'a')).toBe(true);
      expect(await hashes.delete('k', 'a')).toBe(false);
      await hashes.clear('k');
      expect(await hashes.all('k')).toEqual(new Map());
      expect(await hashes.expire('k', 1000)).toBe(false);
    });

    test('have one winner', async () => {
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, server) => state.hashes.setIfAbsent('routers', 'm', { server })),
      );
      expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
      expect(await state.hashes.get('routers', 'm')).toEqual(answers[0]);
    });

    test('go whole when their time is over, and begin without one', async () => {
      const { hashes } = state;
      await hashes.set('k', 'a', 1);
      expect(await hashes.expire('k', 100)).toBe(true);
      await pass(60);
      await hashes.set('k', 'b', 2);
      await pass(40);
      expect(await hashes.all('k')).toEqual(new Map());
      expect(await hashes.setIfAbsent('k', 'a', 3)).toBe(3);
      await pass(1_000_000);
      expect(await hashes.get('k', 'a')).toBe(3);
    });

    test('share no objects with their callers', async () => {
      const value = { list: [1] };
      await state.hashes.set('k', 'a', value);
      value.list.push(2);
      const read = (await state.hashes.get('k', 'a')) as { list: number[] };
      expect(read).toEqual({ list: [1] });
      read.list.push(3);
      expect(await state.hashes.get('k', 'a')).toEqual({ list: [1] });
    });

    test('keep any JSON', async () => {
      await fc.assert(
        fc.asyncProperty(fc.string(), fc.jsonValue(), async (field, value) => {
          const json = JSON.parse(JSON.stringify(value)) as Json;
          await state.hashes.set('any', field, json);
          expect(await state.hashes.get('any', field)).toEqual(json);
        }),
      );
    });
  });

  test('queues keep the order in which one came', async () => {
    const { queues } = state;
    expect(await queues.push('q', 'ann', { name: 'Ann' })).toBe(0);
    expect(await queues.push('q', 'bob', { name: 'Bob' })).toBe(1);
    expect(await queues.push('q', 'eve', null)).toBe(2);
    expect(await queues.push('q', 'bob', { name: 'Bobby' })).toBe(1);
    expect(await queues.list('q')).toEqual([
      { id: 'ann', value: { name: 'Ann' } },
      { id: 'bob', value: { name: 'Bobby' } },
      { id: 'eve', value: null },
    ]);
    expect(await queues.remove('q', 'bob')).toEqual({ id: 'bob', value: { name: 'Bobby' } });
    expect(await queues.remove('q', 'bob')).toBeUndefined();
    const taken = await Promise.all([queues.shift('q'), queues.shift('q'), queues.shift('q')]);
    expect(taken.map((entry) => entry?.id)).toEqual(['ann', 'eve', undefined]);
    await queues.push('q', 'ann', 1);
    await queues.clear('q');
    expect(await queues.list('q')).toEqual([]);
  });

  test('counters count within their window', async () => {
    const { counters } = state;
    expect(await counters.increment('c', 1, 1000)).toEqual({ value: 1, remainingMs: 1000 });
    await pass(400);
    expect(await counters.increment('c', 2, 1000)).toEqual({ value: 3, remainingMs: 600 });
    expect(await counters.increment('other', 1, 1000)).toEqual({ value: 1, remainingMs: 1000 });
    await pass(600);
    expect(await counters.increment('c', 1, 500)).toEqual({ value: 1, remainingMs: 500 });
    await counters.reset('c');
    expect(await counters.increment('c', 1, 800)).toEqual({ value: 1, remainingMs: 800 });
    const many = await Promise.all(Array.from({ length: 20 }, () => counters.increment('many', 1, 1000)));
    expect(Math.max(...many.map(({ value }) => value))).toBe(20);
  });

  test('leases have one holder at a time', async () => {
    const { leases } = state;
    const won = await Promise.all(['a', 'b', 'c'].map((server) => leases.acquire('m', server, 1000)));
    expect(won.filter(Boolean)).toHaveLength(1);
    const holder = (await leases.holder('m')) ?? '';
    const other = holder === 'a' ? 'b' : 'a';
    await pass(900);
    expect(await leases.acquire('m', holder, 1000)).toBe(true);
    await pass(900);
    expect(await leases.acquire('m', other, 1000)).toBe(false);
    expect(await leases.release('m', other)).toBe(false);
    expect(await leases.holder('m')).toBe(holder);
    await pass(100);
    expect(await leases.holder('m')).toBeUndefined();
    expect(await leases.acquire('m', other, 1000)).toBe(true);
    expect(await leases.release('m', holder)).toBe(false);
    expect(await leases.release('m', other)).toBe(true);
    expect(await leases.release('m', other)).toBe(false);
  });

  describe('channels', () => {
    /** Resolves with the first `count` messages of a channel. */
    const collect = async (channel: string, count: number) => {
      const { promise, resolve } = Promise.withResolvers<Json[]>();
      const got: Json[] = [];
      const unsubscribe = await state.channels.subscribe(channel, (message) => {
        got.push(message);
        if (got.length === count) resolve(got);
      });
      return { got, all: promise, unsubscribe };
    };

    test('bring messages to every listener in their order, and to no other channel', async () => {
      const first = await collect('c', 3);
      const second = await collect('c', 3);
      const other = await collect('d', 1);
      for (const n of [1, 2, 3]) await state.channels.publish('c', { n });
      const expected = [{ n: 1 }, { n: 2 }, { n: 3 }];
      expect(await first.all).toEqual(expected);
      expect(await second.all).toEqual(expected);
      expect(other.got).toEqual([]);
    });

    test('bring nothing before publish has returned, nor after unsubscribing', async () => {
      const gone = await collect('c', 1);
      const stays = await collect('c', 1);
      const published = state.channels.publish('c', 'x');
      expect(stays.got).toEqual([]);
      await gone.unsubscribe();
      await gone.unsubscribe();
      await published;
      expect(await stays.all).toEqual(['x']);
      expect(gone.got).toEqual([]);
    });

    test('survive a listener that throws', async () => {
      await state.channels.subscribe('c', () => {
        throw new Error('a bug of the listener');
      });
      const other = await collect('c', 1);
      await state.channels.publish('c', 1);
      expect(await other.all).toEqual([1]);
      expect(errors).toEqual([expect.objectContaining({ channel: 'c' })]);
    });

    test('give every listener a message of its own', async () => {
      await state.channels.subscribe('c', (message) => {
        (message as { n: number }).n = 2;
      });
      const other = await collect('c', 1);
      await state.channels.publish('c', { n: 1 });
      expect(await other.all).toEqual([{ n: 1 }]);
    });
  });

  test('is not there after close, which may be called twice', async () => {
    const listener = vi.fn();
    await state.channels.subscribe('c', listener);
    await state.channels.publish('c', 1);
    await state.close();
    await state.close();
    await expect(state.channels.publish('c', 2)).rejects.toMatchObject({ code: 'server-stopping' });
    await expect(state.presence.list('m')).rejects.toMatchObject({ code: 'server-stopping' });
    await new Promise((resolve) => setImmediate(resolve));
    expect(listener).not.toHaveBeenCalled();
  });
});
