/** `npm run bench [NAME…]`: measures, prints tables, and after a full run keeps the figures. */
import { loadavg } from 'node:os';
import { stopAll } from '../test/support/meet-process.ts';
import { chat } from './chat.ts';
import { clientCpu } from './client-cpu.ts';
import type { Benchmark } from './harness/figure.ts';
import { examineMachine, examineVersions } from './harness/machine.ts';
import { closePrograms } from './harness/program.ts';
import { keepResults, type MeasuredBenchmark, measured } from './harness/results.ts';
import { textTable } from './harness/table.ts';
import { join } from './join.ts';
import { latency } from './latency.ts';
import { media } from './media.ts';
import { memory } from './memory.ts';
import { reconnect } from './reconnect.ts';
import { rtp } from './rtp.ts';
import { workerCpu } from './worker-cpu.ts';

const BENCHMARKS: readonly Benchmark[] = [
  join,
  latency,
  workerCpu,
  clientCpu,
  reconnect,
  memory,
  media,
  rtp,
  chat,
];

/** A benchmark that takes longer hangs. */
const TIMEOUT_MS = 240_000;

const names = process.argv.slice(2);
const unknown = names.filter((name) => !BENCHMARKS.some((benchmark) => benchmark.name === name));
if (unknown.length > 0) {
  console.error(
    `There is no benchmark ${unknown.join(', ')}; there are ${BENCHMARKS.map(({ name }) => name).join(', ')}.`,
  );
  process.exit(2);
}

// Not by itself: what a benchmark that failed has left open must not keep this process.
process.exit(await main(names.length === 0));

async function main(full: boolean): Promise<number> {
  const machine = examineMachine();
  const versions = await examineVersions();
  const date = new Date().toISOString();
  console.log(
    `${machine.cpu}, ${machine.cores} cores, load ${machine.loadBefore.join(' ')}; ` +
      Object.entries(versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(', '),
  );
  const benchmarks: MeasuredBenchmark[] = [];
  const failed: string[] = [];
  for (const benchmark of BENCHMARKS) {
    if (!full && !names.includes(benchmark.name)) continue;
    const result = await measure(benchmark);
    if (result === undefined) failed.push(benchmark.name);
    else benchmarks.push(result);
  }
  if (failed.length > 0) {
    console.error(`\nNot measured: ${failed.join(', ')}.`);
    return 1;
  }
  if (full) await keepResults({ date, machine, versions, benchmarks });
  const missed = benchmarks.flatMap(({ name, figures }) =>
    figures.filter(({ met }) => met === false).map((figure) => `${name} (${figure.name})`),
  );
  console.log(missed.length === 0 ? '\nEvery target is met.' : `\nTargets missed: ${missed.join(', ')}.`);
  return 0;
}

async function measure(benchmark: Benchmark): Promise<MeasuredBenchmark | undefined> {
  const [load = 0] = loadavg();
  const startedAt = performance.now();
  const say = (line: string) => {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${benchmark.name}: ${line} …`);
  };
  try {
    const figures = await withTimeout(benchmark.run(say));
    const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
    const result = {
      name: benchmark.name,
      title: benchmark.title,
      seconds,
      load,
      figures: figures.map(measured),
    };
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
    console.log(`\n${textTable(result)}`);
    return result;
  } catch (error) {
    console.error(`\n${benchmark.name} failed:`, error);
    return undefined;
  } finally {
    await Promise.all([closePrograms(), stopAll()]);
  }
}

async function withTimeout<T>(work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`It has not ended after ${TIMEOUT_MS / 1000} s`)),
    TIMEOUT_MS,
  );
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
