import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { quantile, spread } from '../../bench/harness/figure.ts';
import { DOCUMENT_PATH, figuresSection, readResults, withFigures } from '../../bench/harness/results.ts';
import { formatValue } from '../../bench/harness/table.ts';

describe('the figures that are kept', () => {
  test('docs/BENCHMARKS.md says what bench/results/bench.json says', async () => {
    const document = await readFile(DOCUMENT_PATH, 'utf8');
    const results = await readResults();
    expect(document).toBe(withFigures(document, figuresSection(results)));
  });

  test('every benchmark is in them, and what has a target says whether it is met', async () => {
    const { benchmarks, machine, versions } = await readResults();
    expect(benchmarks.map(({ name }) => name)).toEqual([
      'join',
      'latency',
      'worker-cpu',
      'client-cpu',
      'reconnect',
      'memory',
      'media',
      'rtp',
      'chat',
    ]);
    for (const { value, target, met } of benchmarks.flatMap(({ figures }) => figures)) {
      expect(value).toBeGreaterThanOrEqual(0);
      expect(met).toBe(target === null ? null : value <= target);
    }
    expect(machine.loadBefore).toHaveLength(3);
    expect(Object.keys(versions)).toEqual(['node', 'meet', 'mediasoup', 'werift', 'ffmpeg']);
  });
});

test('quantiles by nearest rank', () => {
  const samples = Array.from({ length: 20 }, (_, index) => 20 - index);
  expect([0, 0.5, 0.95, 0.99, 1].map((share) => quantile(samples, share))).toEqual([1, 10, 19, 20, 20]);
  expect(quantile([7], 0.5)).toBe(7);
  expect(() => quantile([], 0.5)).toThrow('no samples');
  expect(spread('time', 'ms', samples, 'p95', { high: 18 })).toEqual([
    { name: 'time, p50', value: 10, unit: 'ms' },
    { name: 'time, p95', value: 19, unit: 'ms', target: 18 },
  ]);
});

test('values with three digits', () => {
  expect([0, 0.01234, 1.2345, 12.345, 123.45, 24_700.4].map(formatValue)).toEqual([
    '0',
    '0.0123',
    '1.23',
    '12.3',
    '123',
    '24700',
  ]);
});
