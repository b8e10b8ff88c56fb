/** The report as text for a terminal. */
import { FIGURES } from '../measure/summary.ts';
import type { RunResult } from '../run/result.ts';
import { formatCount, formatMs, formatValue } from './format.ts';
import { outageSentence, thresholdSentence, verdict } from './sentences.ts';

/** What is shown of the figures, in this order; `--json` has them all. */
const DURATION_ROWS = [
  'join',
  'first_media',
  'media_latency',
  'video_latency',
  'audio_latency',
  'jitter',
  'freeze',
  'chat_latency',
];
const STATISTICS = ['p50', 'p90', 'p95', 'p99', 'max'];
const SINGLE_ROWS = [
  'joins',
  'joins_failed',
  'dropped',
  'reconnects',
  'loss',
  'residual_loss',
  'freezes_per_minute',
  'frozen',
  'held_back',
  'fps',
  'bitrate',
  'packets_per_second',
  'corrupt',
];

export function tableReport(result: RunResult): string {
  const phases = result.phases.length > 1 ? result.phases : [];
  const columns = [
    ...phases.map(({ name, figures }) => ({ name, figures })),
    { name: 'whole run', figures: result.figures },
  ];
  const blocks = [
    `${result.name}: ${result.target}`,
    countsTable(columns),
    durationsTable(result),
    section(
      'Thresholds',
      result.thresholds.map((one) => `${one.passed ? '✓' : '✗'} ${thresholdSentence(one)}`),
    ),
    section(
      'Checks',
      result.checks.map(
        ({ name, passed, failed }) =>
          `${failed === 0 ? '✓' : '✗'} ${name}: ${passed} of ${passed + failed} bots`,
      ),
    ),
    section('Server', serverLines(result)),
    section(
      'Errors',
      result.errors.slice(0, 10).map(({ count, message }) => `${count} × ${message}`),
    ),
    section('Tester', testerLines(result)),
    verdict(result),
  ];
  return blocks.filter((block) => block !== '').join('\n\n');
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : [title, ...lines.map((line) => `  ${line}`)].join('\n');
}

function countsTable(
  columns: readonly { name: string; figures: Readonly<Record<string, number>> }[],
): string {
  const rows = SINGLE_ROWS.map((name) => [
    name,
    ...columns.map(({ figures }) => formatValue(figures[name] ?? null, FIGURES[name]!.unit)),
  ]);
  return grid([['', ...columns.map(({ name }) => name)], ...rows]);
}

function durationsTable({ figures }: RunResult): string {
  const rows = DURATION_ROWS.filter((name) => figures[`${name}_p50`] !== undefined).map((name) => [
    name,
    ...STATISTICS.map((statistic) => formatValue(figures[`${name}_${statistic}`] ?? null, 'ms')),
  ]);
  return rows.length === 0 ? '' : grid([['', ...STATISTICS], ...rows]);
}

function serverLines({ outages, serverLoad }: RunResult): string[] {
  const lines = outages.map(outageSentence);
  if (serverLoad.length > 0) {
    const mean = (of: (load: (typeof serverLoad)[number]) => number) =>
      serverLoad.reduce((sum, load) => sum + of(load), 0) / serverLoad.length;
    const worker = Math.round(mean(({ workerCpu }) => workerCpu) * 100);
    const process = Math.round(mean(({ processCpu }) => processCpu) * 100);
    const most = Math.max(...serverLoad.map(({ rssBytes }) => rssBytes));
    lines.push(
      `CPU: workers ${worker} %, own process ${process} % of a core; memory at most ${formatCount(most)}B`,
    );
  }
  return lines;
}

function testerLines({ drivers, problems }: RunResult): string[] {
  const lines = drivers.map(
    ({ name, cpu, loopDelayP99Ms, socketDrops, rssBytes }) =>
      `${name}: ${Math.round(cpu * 100)} % of a core, event loop ${formatMs(loopDelayP99Ms)} late (p99), ` +
      `${socketDrops} packets dropped at its sockets, ${formatCount(rssBytes)}B`,
  );
  return [...lines, ...problems];
}

/** First column to the left, the others to the right. */
function grid(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
