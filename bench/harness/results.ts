/** Where figures are kept: as JSON, and as the tables of docs/BENCHMARKS.md that are made from it. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Figure, isMet } from './figure.ts';
import type { Machine, Versions } from './machine.ts';
import { markdownTable } from './table.ts';

export interface MeasuredFigure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The value may be this at most; `null` where there is no target. */
  readonly target: number | null;
  readonly met: boolean | null;
}

export interface MeasuredBenchmark {
  readonly name: string;
  readonly title: string;
  /** How long it took. */
  readonly seconds: number;
  /** The machine's load average of one minute when it began; the benchmark before it is part of it. */
  readonly load: number;
  readonly figures: readonly MeasuredFigure[];
}

export interface Results {
  /** ISO 8601, UTC. */
  readonly date: string;
  readonly machine: Machine;
  readonly versions: Versions;
  readonly benchmarks: readonly MeasuredBenchmark[];
}

export const RESULTS_PATH = fileURLToPath(new URL('../results/bench.json', import.meta.url));
export const DOCUMENT_PATH = fileURLToPath(new URL('../../docs/BENCHMARKS.md', import.meta.url));

const BEGIN = '<!-- figures: written by npm run bench -->';
const END = '<!-- end of figures -->';

export function measured(figure: Figure): MeasuredFigure {
  const { name, value, unit, target } = figure;
  return { name, value: Number(value.toPrecision(6)), unit, target: target ?? null, met: isMet(figure) };
}

/** What stands between the two marks of the document. */
export function figuresSection({ date, machine, versions, benchmarks }: Results): string {
  const { cpu, cores, memory, kernel, system, loadBefore } = machine;
  const { node, meet, mediasoup, werift, ffmpeg } = versions;
  return [
    `Measured on ${date.slice(0, 10)}: ${cpu}, ${cores} cores, ${memory} GiB; ${system}, ${kernel}; load average ` +
      `${loadBefore.join(', ')} before the run. meet ${meet}, Node ${node}, mediasoup ${mediasoup}, werift ${werift}, ` +
      `ffmpeg ${ffmpeg}.`,
    ...benchmarks.map(markdownTable),
  ].join('\n\n');
}

/** The document with this in the place of its figures. */
export function withFigures(document: string, section: string): string {
  const from = document.indexOf(BEGIN);
  const to = document.indexOf(END);
  if (from < 0 || to < from) throw new Error('docs/BENCHMARKS.md has lost the marks around its figures');
  return `${document.slice(0, from + BEGIN.length)}\n\n${section}\n\n${document.slice(to)}`;
}

export async function keepResults(results: Results): Promise<void> {
  await mkdir(dirname(RESULTS_PATH), { recursive: true });
  await writeFile(RESULTS_PATH, `${JSON.stringify(results, null, 2)}\n`);
  const document = await readFile(DOCUMENT_PATH, 'utf8');
  await writeFile(DOCUMENT_PATH, withFigures(document, figuresSection(results)));
}

export async function readResults(): Promise<Results> {
  return JSON.parse(await readFile(RESULTS_PATH, 'utf8')) as Results;
}
