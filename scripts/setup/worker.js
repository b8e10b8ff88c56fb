/** Provides the SFU worker: downloads or builds it the first time, and is instant after that. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { checkoutNode, inRoot } from './checkout.js';
import { SetupError } from './step.js';

const stamp = inRoot('node_modules', '.meet-worker');

/** Path of the worker; MEDIASOUP_WORKER_BIN where that is set. */
export async function ensureWorker() {
  const given = process.env.MEDIASOUP_WORKER_BIN;
  if (given !== undefined) return given;
  const { version } = JSON.parse(readFileSync(inRoot('node_modules', 'mediasoup', 'package.json'), 'utf8'));
  const [known, path] = existsSync(stamp) ? readFileSync(stamp, 'utf8').split('\n') : [];
  if (known === version && path !== undefined && existsSync(path)) return path;
  // The set-up modules of the package want the checkout's Node, this script may run on an older one.
  const child = spawn(checkoutNode, [inRoot('scripts', 'setup', 'provide-worker.js')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const stop = (signal) => child.kill(signal);
  process.on('SIGINT', stop).on('SIGTERM', stop);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  const [code] = await once(child, 'close');
  process.off('SIGINT', stop).off('SIGTERM', stop);
  // It has said why.
  if (code !== 0) throw new SetupError('', { exitCode: code ?? 1 });
  const provided = output.trim();
  writeFileSync(stamp, `${version}\n${provided}`);
  return provided;
}
