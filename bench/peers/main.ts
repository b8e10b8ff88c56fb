/** `npm run bench:peers`: our server beside others, with the same bots and media on this machine. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { examineMachine, examineVersions } from '../harness/machine.ts';
import { closePrograms } from '../harness/program.ts';
import { formatValue } from '../harness/table.ts';
import { ADAPTERS } from './adapters.ts';
import { type Measurement, measure, type Scene } from './measure.ts';

const SCENES: readonly Scene[] = [
  { publishers: 1, receivers: 50 },
  { publishers: 10, receivers: 10 },
  { publishers: 4, receivers: 100 },
];
const RESULTS_PATH = fileURLToPath(new URL('../results/peers.json', import.meta.url));

/** What is compared: the first server's figure, the other's, and how they are related. */
const ROWS: readonly {
  readonly name: string;
  readonly unit: string;
  readonly of: (one: Measurement) => number;
}[] = [
  { name: 'CPU of the server for each packet', unit: 'µs', of: (one) => one.usAPacket },
  { name: 'of it in what carries media', unit: 'µs', of: (one) => one.mediaUsAPacket },
  { name: 'packets received', unit: '1/s', of: (one) => one.packetsASecond },
  { name: 'of those that were due', unit: '%', of: (one) => one.delivered * 100 },
  { name: 'CPU of the server', unit: '% of a core', of: (one) => one.cpu * 100 },
  { name: 'latency, p50', unit: 'ms', of: (one) => one.latencyP50Ms },
  { name: 'latency, p99', unit: 'ms', of: (one) => one.latencyP99Ms },
  { name: 'loss', unit: '%', of: (one) => one.loss * 100 },
  { name: 'memory of the server', unit: 'MiB', of: (one) => one.memoryMiB },
  { name: 'receivers connect, p50', unit: 'ms', of: (one) => one.connectP50Ms },
];

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => void closePrograms().finally(() => process.exit(1)));
}
process.exitCode = await main();

async function main(): Promise<number> {
  const usable = ADAPTERS.filter((adapter) => {
    const reason = adapter.missing();
    if (reason !== undefined) console.error(`${adapter.name} is left out: ${reason}.`);
    return reason === undefined;
  });
  const machine = examineMachine();
  const versions = await examineVersions();
  console.log(
    `${machine.cpu}, ${machine.cores} cores, load ${machine.loadBefore.join(' ')}; meet ${versions.meet}`,
  );
  const results: Record<string, Record<string, Measurement[]>> = {};
  for (const scene of SCENES) {
    const name = `${scene.publishers}×${scene.receivers}`;
    // There and back: what changes on the machine meanwhile touches both alike.
    const order = [...usable, ...[...usable].reverse()];
    const measured: Record<string, Measurement[]> = {};
    for (const adapter of order) {
      console.error(`${name}: ${adapter.name} …`);
      measured[adapter.name] = [...(measured[adapter.name] ?? []), await measure(adapter, scene)];
    }
    results[name] = measured;
    console.log(
      `\n${table(
        name,
        usable.map((adapter) => adapter.name),
        measured,
      )}`,
    );
  }
  await mkdir(dirname(RESULTS_PATH), { recursive: true });
  await writeFile(
    RESULTS_PATH,
    `${JSON.stringify({ date: new Date().toISOString(), machine, versions, results }, null, 2)}\n`,
  );
  return 0;
}

function table(scene: string, names: readonly string[], measured: Record<string, Measurement[]>): string {
  const [first, ...others] = names;
  const mean = (name: string, of: (one: Measurement) => number) => {
    const values = measured[name]!.map(of);
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  };
  const header = ['', 'unit', ...names, ...others.map((name) => `${name} / ${first}`)];
  const rows = ROWS.map(({ name, unit, of }) => {
    const own = mean(first!, of);
    return [
      name,
      unit,
      ...names.map((server) => formatValue(mean(server, of))),
      ...others.map((server) => (own === 0 ? '' : formatValue(mean(server, of) / own))),
    ];
  });
  const srtp = ['SRTP', '', ...names.map((name) => measured[name]!.at(-1)!.srtp), ...others.map(() => '')];
  const all = [header, ...rows, srtp];
  const widths = header.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  const lines = all.map((row) =>
    row
      .map((cell, column) => (column < 2 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  ')
      .trimEnd(),
  );
  return [`${scene} (publishers × receivers of each)`, ...lines.map((line) => `  ${line}`)].join('\n');
}
