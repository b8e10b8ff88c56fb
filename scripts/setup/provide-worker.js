/** Runs on the checkout's Node: provides the worker, shows the progress, prints the path on stdout. */
import { formatWorkerProgress, provideWorker } from '../../dist/setup/index.js';

const terminal = process.stderr.isTTY;
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => stop.abort());

let shown = '';
function show(progress) {
  if (terminal) {
    process.stderr.write(`\r\x1b[K${formatWorkerProgress(progress)}`);
    return;
  }
  // In a log a line a phase is enough, and one for every tenth of the longest.
  const tenth = progress.phase === 'compile' ? Math.floor((progress.done * 10) / progress.total) : 0;
  const state = `${progress.phase} ${tenth}`;
  if (state !== shown) process.stderr.write(`${formatWorkerProgress(progress)}\n`);
  shown = state;
}

try {
  const path = await provideWorker({
    cacheDir: process.env.MEET_CACHE,
    env: process.env,
    onProgress: show,
    signal: stop.signal,
  });
  if (terminal) process.stderr.write('\r\x1b[K');
  process.stdout.write(`${path}\n`);
} catch (error) {
  if (terminal) process.stderr.write('\r\x1b[K');
  if (!stop.signal.aborted) process.stderr.write(`${error.message}\n`);
  process.exitCode = stop.signal.aborted ? 130 : 1;
}
