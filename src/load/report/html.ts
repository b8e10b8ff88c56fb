/** The report as one page that needs nothing else: plots by uPlot, which is written into it. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { RunResult, TimelinePoint } from '../run/result.ts';
import { outageSentence, thresholdSentence, verdict } from './sentences.ts';
import { tableReport } from './table.ts';

interface Series {
  readonly label: string;
  readonly color: string;
  readonly values: readonly (number | null)[];
}

interface Plot {
  readonly title: string;
  readonly unit: string;
  /** Seconds since the run began. */
  readonly times: readonly number[];
  readonly series: readonly Series[];
}

const COLORS = { a: '#2563eb', b: '#dc2626', c: '#16a34a', d: '#9333ea' } as const;

/** A self-contained page: it loads nothing and runs only what is in it. */
export async function htmlReport(result: RunResult): Promise<string> {
  const folder = join(dirname(createRequire(import.meta.url).resolve('uplot')));
  const [script, style] = await Promise.all(
    ['uPlot.iife.min.js', 'uPlot.min.css'].map((name) => readFile(join(folder, name), 'utf8')),
  );
  const title = escapeHtml(`${result.name}: ${verdict(result)}`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${style}
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 1000px; padding: 0 1rem; color: #1f2937; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.05rem; margin: 1.6rem 0 .3rem; }
pre { background: #f3f4f6; padding: 1rem; overflow-x: auto; font-size: 12px; line-height: 1.4; }
ul { padding-left: 1.2rem; } .ok { color: #15803d; } .bad { color: #b91c1c; }
</style>
</head>
<body>
<h1 class="${result.passed ? 'ok' : 'bad'}">${title}</h1>
<p>${escapeHtml(result.target)}, ${escapeHtml(result.startedAt)}, ${Math.round(result.durationMs / 1000)} s</p>
${list(result.problems, 'bad')}
${list(result.outages.map(outageSentence), 'bad')}
${result.thresholds.map((one) => list([thresholdSentence(one)], one.passed ? 'ok' : 'bad')).join('\n')}
<div id="plots"></div>
<h2>All figures</h2>
<pre>${escapeHtml(tableReport(result))}</pre>
<script>${script}</script>
<script>
const plots = ${embed(plotsOf(result))};
for (const { title, unit, times, series } of plots) {
  const heading = document.createElement('h2');
  heading.textContent = title;
  const target = document.createElement('div');
  document.getElementById('plots').append(heading, target);
  new uPlot({
    width: Math.min(960, document.body.clientWidth - 20),
    height: 220,
    scales: { x: { time: false }, y: { range: (_, min, max) => [Math.min(0, min ?? 0), max > 0 ? max * 1.05 : 1] } },
    axes: [{ values: (_, ticks) => ticks.map((tick) => tick + ' s') }, { size: 95, values: (_, ticks) => ticks.map((tick) => tick + ' ' + unit) }],
    series: [{ label: 'at', value: (_, at) => at == null ? '–' : at + ' s' }, ...series.map(({ label, color }) => ({ label, stroke: color, width: 1.5, value: (_, value) => value == null ? '–' : Number(value.toFixed(3)) + ' ' + unit }))],
  }, [times, ...series.map(({ values }) => values)], target);
}
</script>
</body>
</html>
`;
}

function plotsOf({ timeline, serverLoad }: RunResult): Plot[] {
  const times = timeline.map(({ atMs }) => atMs / 1_000);
  const of = (read: (point: TimelinePoint) => number | null) => timeline.map(read);
  const percent = (share: number | null) => (share === null ? null : share * 100);
  const plots: Plot[] = [
    {
      title: 'Bots and joins',
      unit: '',
      times,
      series: [
        { label: 'in', color: COLORS.a, values: of(({ bots }) => bots) },
        { label: 'disconnected', color: COLORS.b, values: of(({ down }) => down) },
        { label: 'joins a second', color: COLORS.c, values: of(({ joins }) => joins) },
        { label: 'failed joins', color: COLORS.d, values: of(({ joinsFailed }) => joinsFailed) },
      ],
    },
    {
      title: 'Time to join',
      unit: 'ms',
      times,
      series: [{ label: 'p95', color: COLORS.a, values: of(({ joinP95Ms }) => joinP95Ms) }],
    },
    {
      title: 'Latency of media',
      unit: 'ms',
      times,
      series: [
        { label: 'p50', color: COLORS.a, values: of(({ latencyP50Ms }) => latencyP50Ms) },
        { label: 'p99', color: COLORS.b, values: of(({ latencyP99Ms }) => latencyP99Ms) },
      ],
    },
    {
      title: 'Loss',
      unit: '%',
      times,
      series: [
        { label: 'before retransmission', color: COLORS.a, values: of(({ loss }) => percent(loss)) },
        { label: 'after it', color: COLORS.b, values: of(({ residualLoss }) => percent(residualLoss)) },
      ],
    },
    {
      title: 'Received',
      unit: 'Mbit/s',
      times,
      series: [{ label: 'all bots', color: COLORS.a, values: of(({ bitrate }) => bitrate / 1e6) }],
    },
    {
      title: 'Freezes',
      unit: '',
      times,
      series: [{ label: 'a second', color: COLORS.b, values: of(({ freezes }) => freezes) }],
    },
    {
      title: 'Load of the tester',
      unit: '%',
      times,
      series: [{ label: 'busiest driver', color: COLORS.a, values: of(({ driverCpu }) => driverCpu * 100) }],
    },
  ];
  if (serverLoad.length > 0) {
    plots.push({
      title: 'Load of the server',
      unit: '%',
      times: serverLoad.map(({ atMs }) => Math.round(atMs / 100) / 10),
      series: [
        { label: 'SFU workers', color: COLORS.a, values: serverLoad.map(({ workerCpu }) => workerCpu * 100) },
        {
          label: 'own process',
          color: COLORS.c,
          values: serverLoad.map(({ processCpu }) => processCpu * 100),
        },
      ],
    });
  }
  return plots;
}

function list(sentences: readonly string[], kind: string): string {
  if (sentences.length === 0) return '';
  return `<ul class="${kind}">${sentences.map((sentence) => `<li>${escapeHtml(sentence)}</li>`).join('')}</ul>`;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escapeHtml = (text: string): string => text.replaceAll(/[&<>"]/g, (character) => ENTITIES[character]!);

/** JSON that cannot end the script it stands in. */
const embed = (value: unknown): string => JSON.stringify(value).replaceAll('<', '\\u003c');
