/** `npm run bench:share [NAME…]`: sharing a screen under Xvfb; prints a table, and after a full run keeps the figures. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stopAll } from '../../test/support/meet-process.ts';
import { Painter } from '../../test/support/x11-painter.ts';
import { hasXvfb, startScreen } from '../../test/support/xvfb.ts';
import type { Figure } from '../harness/figure.ts';
import { examineMachine, examineVersions } from '../harness/machine.ts';
import { closePrograms } from '../harness/program.ts';
import { measured, type Results } from '../harness/results.ts';
import { startMeasuredServer } from '../harness/server.ts';
import { textTable } from '../harness/table.ts';
import { measureLatency } from './latency.ts';
import { measureScene } from './measure.ts';
import { movingWindow, SIZE, slides, terminal } from './scenes.ts';

const RESULTS_PATH = fileURLToPath(new URL('../results/share.json', import.meta.url));
const NAMES = ['slides', 'terminal', 'window', 'latency'];

process.exit(await main(process.argv.slice(2)));

async function main(names: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => !NAMES.includes(name));
  if (unknown.length > 0 || !hasXvfb) {
    console.error(
      hasXvfb
        ? `There is no measurement ${unknown.join(', ')}; there are ${NAMES.join(', ')}.`
        : 'The measurement of sharing needs Xvfb and xterm.',
    );
    return 2;
  }
  const machine = examineMachine();
  const versions = await examineVersions();
  const wanted = (name: string) => names.length === 0 || names.includes(name);
  const startedAt = performance.now();
  const screen = await startScreen(SIZE);
  const figures: Figure[] = [];
  const open: { close(): unknown }[] = [screen];
  try {
    const server = await startMeasuredServer();
    open.push(server);
    const painter = await Painter.open(screen.display);
    open.push(painter);
    await painter.point(SIZE.width - 1, SIZE.height - 1);
    const place = { server, display: screen.display };
    if (wanted('slides')) figures.push(...(await measureScene(slides(painter), place)));
    if (wanted('terminal')) figures.push(...(await measureScene(terminal(screen), place)));
    if (wanted('window')) figures.push(...(await measureScene(movingWindow(painter), place)));
    if (wanted('latency')) figures.push(...(await measureLatency(painter, place)));
  } finally {
    await stopAll();
    for (const one of open.reverse()) await one.close();
    await closePrograms();
  }
  const benchmark = {
    name: 'share',
    title: `sharing a screen of ${SIZE.width}x${SIZE.height} at 30 pictures a second`,
    seconds: Math.round((performance.now() - startedAt) / 100) / 10,
    load: machine.loadBefore[0] ?? 0,
    figures: figures.map(measured),
  };
  console.log(textTable(benchmark));
  if (names.length === 0) {
    const results: Results = { date: new Date().toISOString(), machine, versions, benchmarks: [benchmark] };
    await mkdir(dirname(RESULTS_PATH), { recursive: true });
    await writeFile(RESULTS_PATH, `${JSON.stringify(results, null, 2)}\n`);
  }
  return 0;
}
