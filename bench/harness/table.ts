/** Tables of figures, for terminals and for documents. */
import type { MeasuredBenchmark, MeasuredFigure } from './results.ts';

/** Three significant digits below 100, whole numbers from there on. */
export function formatValue(value: number): string {
  if (value === 0) return '0';
  if (Math.abs(value) >= 100) return String(Math.round(value));
  return String(Number(value.toPrecision(3)));
}

function cells({ name, value, unit, target, met }: MeasuredFigure): string[] {
  return [
    name,
    formatValue(value),
    unit,
    target === null ? '' : `≤ ${formatValue(target)}`,
    met === null ? '' : met ? 'met' : 'MISSED',
  ];
}

const HEADER = ['figure', 'value', 'unit', 'target', ''];

/** A benchmark's figures in columns, numbers to the right. */
export function textTable(benchmark: MeasuredBenchmark): string {
  const rows = [HEADER, ...benchmark.figures.map(cells)];
  const widths = HEADER.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) =>
        column === 1 || column === 3 ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
      )
      .join('  ')
      .trimEnd(),
  );
  return [`${benchmark.name}: ${benchmark.title}`, ...lines.map((line) => `  ${line}`)].join('\n');
}

/** The same as a section of Markdown. */
export function markdownTable(benchmark: MeasuredBenchmark): string {
  const row = (columns: readonly string[]) => `| ${columns.join(' | ')} |`;
  return [
    `**\`${benchmark.name}\`**: ${benchmark.title}`,
    '',
    row(HEADER),
    '|---|--:|---|--:|---|',
    ...benchmark.figures.map((figure) => row(cells(figure))),
  ].join('\n');
}
