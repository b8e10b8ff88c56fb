/**
 * `npm run bench:network [-- [--quick] [--recordings FOLDER] [NAME…]]`: meetings over bad networks; prints tables and,
 * after a full run, keeps the figures.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { examineMachine, examineVersions } from '../harness/machine.ts';
import { closePrograms } from '../harness/program.ts';
import { type MeasuredBenchmark, measured, type Results } from '../harness/results.ts';
import { textTable } from '../harness/table.ts';
import { closeHosts, noHosts } from './links/hosts.ts';
import type { Recording } from './recording.ts';
import type { Scenario } from './scenario.ts';
import { endToEnd } from './scenarios/end-to-end.ts';
import { gallery } from './scenarios/gallery.ts';
import { randomLoss } from './scenarios/random-loss.ts';
import { rateSteps } from './scenarios/rate-steps.ts';
import { speakers } from './scenarios/speakers.ts';
import { uplink } from './scenarios/uplink.ts';

const SCENARIOS: readonly Scenario[] = [rateSteps, randomLoss, endToEnd, uplink, gallery, speakers];

const RESULTS_PATH = fileURLToPath(new URL('../results/network.json', import.meta.url));

const {
  values: { quick, recordings },
  positionals: names,
} = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false }, recordings: { type: 'string' } },
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    // Namespaces outlive the processes in them.
    void Promise.allSettled([closePrograms(), closeHosts()]).then(() => process.exit(1));
  });
}
process.exitCode = await main();

async function main(): Promise<number> {
  const unknown = names.filter((name) => !SCENARIOS.some((scenario) => scenario.name === name));
  if (unknown.length > 0) {
    const known = SCENARIOS.map(({ name }) => name).join(', ');
    console.error(`There is no scenario ${unknown.join(', ')}; there are ${known}.`);
    return 2;
  }
  const reason = noHosts();
  if (reason !== undefined) {
    console.error(`The network benchmark cannot run here: ${reason}.`);
    return 2;
  }
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
  for (const scenario of SCENARIOS) {
    if (names.length > 0 && !names.includes(scenario.name)) continue;
    const result = await measure(scenario);
    if (result === undefined) failed.push(scenario.name);
    else benchmarks.push(result);
  }
  if (failed.length > 0) {
    console.error(`\nNot measured: ${failed.join(', ')}.`);
    return 1;
  }
  if (names.length === 0 && !quick) await keep({ date, machine, versions, benchmarks });
  const missed = benchmarks.flatMap(({ name, figures }) =>
    figures.filter(({ met }) => met === false).map((figure) => `${name} (${figure.name})`),
  );
  console.log(missed.length === 0 ? '\nEvery target is met.' : `\nTargets missed:\n  ${missed.join('\n  ')}`);
  return 0;
}

async function keepRecording(name: string, recording: Recording): Promise<void> {
  if (recordings === undefined) return;
  await mkdir(recordings, { recursive: true });
  await writeFile(join(recordings, `${name}.json`), JSON.stringify(recording));
}

async function keep(results: Results): Promise<void> {
  await mkdir(dirname(RESULTS_PATH), { recursive: true });
  await writeFile(RESULTS_PATH, `${JSON.stringify(results, null, 2)}\n`);
}

async function measure(scenario: Scenario): Promise<MeasuredBenchmark | undefined> {
  const [load = 0] = loadavg();
  const startedAt = performance.now();
  const say = (line: string) => {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${scenario.name}: ${line} …`);
  };
  try {
    const figures = await scenario.run({ quick, say, keep: keepRecording });
    const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
    const { name, title } = scenario;
    const result = { name, title, seconds, load, figures: figures.map(measured) };
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
    console.log(`\n${textTable(result)}`);
    return result;
  } catch (error) {
    console.error(`\n${scenario.name} failed:`, error);
    return undefined;
  } finally {
    await closePrograms();
  }
}
