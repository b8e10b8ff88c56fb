import { MeetError } from '../../protocol/errors.ts';
import { ExpiringMap } from './expiring-map.ts';
import { memoryChannels } from './memory-channels.ts';
import { memoryPresence } from './memory-presence.ts';
import type { LiveStateLogger } from './open.ts';
import type { Counters, Hashes, Json, Leases, LiveState, Queues } from './types.ts';

/** Often enough that what expired unseen takes no memory worth counting. */
const SWEEP_INTERVAL_MS = 30_000;

/** Live state in the memory of this process. Values are kept as JSON text, so that nobody shares objects. */
export function memoryLiveState(now: () => number, logger: LiveStateLogger): LiveState {
  const { presence, sweep } = memoryPresence(now);
  const { channels, close: closeChannels } = memoryChannels(logger);
  const hashMap = new ExpiringMap<Map<string, string>>(now);
  const counterMap = new ExpiringMap<number>(now);
  const leaseMap = new ExpiringMap<string>(now);
  const timer = setInterval(() => {
    sweep();
    for (const map of [hashMap, counterMap, leaseMap]) map.sweep();
  }, SWEEP_INTERVAL_MS);
  timer.unref();

  let closed = false;
  const untilClosed = <Part extends object>(part: Part): Part =>
    Object.fromEntries(
      Object.entries(part).map(([name, call]) => [
        name,
        async (...args: unknown[]) => {
          if (closed) throw new MeetError('server-stopping', 'The server is shutting down.');
          return call(...args);
        },
      ]),
    ) as Part;

  return {
    presence: untilClosed(presence),
    hashes: untilClosed(hashes(hashMap)),
    queues: untilClosed(queues()),
    counters: untilClosed(counters(counterMap)),
    leases: untilClosed(leases(leaseMap)),
    channels: untilClosed(channels),
    async close() {
      closed = true;
      clearInterval(timer);
      closeChannels();
    },
  };
}

const parse = (text: string): Json => JSON.parse(text);

function hashes(map: ExpiringMap<Map<string, string>>): Hashes {
  const fields = (key: string) => {
    const found = map.get(key);
    if (found) return found;
    const fresh = new Map<string, string>();
    map.set(key, fresh);
    return fresh;
  };
  return {
    async set(key, field, value) {
      fields(key).set(field, JSON.stringify(value));
    },
    async setIfAbsent(key, field, value) {
      const hash = fields(key);
      const text = hash.get(field) ?? JSON.stringify(value);
      hash.set(field, text);
      return parse(text);
    },
    async get(key, field) {
      const text = map.get(key)?.get(field);
      return text === undefined ? undefined : parse(text);
    },
    async all(key) {
      return new Map([...(map.get(key) ?? [])].map(([field, text]) => [field, parse(text)]));
    },
    async delete(key, field) {
      const hash = map.get(key);
      const deleted = hash?.delete(field) ?? false;
      if (hash?.size === 0) map.delete(key);
      return deleted;
    },
    async clear(key) {
      map.delete(key);
    },
    async expire(key, ttlMs) {
      return map.expire(key, ttlMs);
    },
  };
}

function queues(): Queues {
  const all = new Map<string, Map<string, string>>();
  const take = (key: string, id: string) => {
    const queue = all.get(key);
    const text = queue?.get(id);
    if (queue === undefined || text === undefined) return undefined;
    queue.delete(id);
    if (queue.size === 0) all.delete(key);
    return { id, value: parse(text) };
  };
  return {
    async push(key, id, value) {
      const queue = all.get(key) ?? new Map<string, string>();
      // A Map keeps the place of a key that is set again.
      all.set(key, queue.set(id, JSON.stringify(value)));
      return [...queue.keys()].indexOf(id);
    },
    async shift(key) {
      const first = all.get(key)?.keys().next();
      return first === undefined || first.done ? undefined : take(key, first.value);
    },
    async remove(key, id) {
      return take(key, id);
    },
    async list(key) {
      return [...(all.get(key) ?? [])].map(([id, text]) => ({ id, value: parse(text) }));
    },
    async clear(key) {
      all.delete(key);
    },
  };
}

function counters(map: ExpiringMap<number>): Counters {
  return {
    async increment(key, by, windowMs) {
      const remainingMs = map.remaining(key) || windowMs;
      const value = (map.get(key) ?? 0) + by;
      map.set(key, value, remainingMs);
      return { value, remainingMs };
    },
    async reset(key) {
      map.delete(key);
    },
  };
}

function leases(map: ExpiringMap<string>): Leases {
  return {
    async acquire(key, holder, ttlMs) {
      const current = map.get(key);
      if (current !== undefined && current !== holder) return false;
      map.set(key, holder, ttlMs);
      return true;
    },
    async release(key, holder) {
      return map.get(key) === holder && map.delete(key);
    },
    async holder(key) {
      return map.get(key);
    },
  };
}
