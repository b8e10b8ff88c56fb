/** Runs vitest within a time limit and counts its results. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { endLeftovers, findLeftovers } from './leftovers.js';

const reporter = fileURLToPath(new URL('reporter.js', import.meta.url));
/** What ends a run, each handed on by npm or a terminal. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
/** Children that were told to end get this long to do so before they count as left, milliseconds. */
const GRACE_MS = 3000;

/**
 * @param options.node the Node to run on
 * @param options.vitest path of vitest's entry
 * @param options.limitMs after which the run is killed
 * @returns counts { passed, failed, skipped }; what went wrong with the run itself counts as failed
 */
export async function runVitest({ node, vitest, cwd, args, env = process.env, limitMs }) {
  // All temporary files of the tests go in here too, so that none is left when the run is killed. PostgreSQL, which
  // refuses to run as root, must be able to pass through.
  const folder = mkdtempSync(join(tmpdir(), 'meet-'));
  chmodSync(folder, 0o755);
  const summary = join(folder, 'summary.json');
  const mark = randomUUID();
  const child = spawn(node, [vitest, 'run', `--reporter=${reporter}`, ...args], {
    cwd,
    // Errors go where the rest goes, so that a log of either has them in their place.
    stdio: ['ignore', 'inherit', 1],
    env: { ...env, MEET_TEST_SUMMARY: summary, MEET_TEST_RUN: mark, TMPDIR: folder },
    // Its own process group, so that the whole of it can be ended.
    detached: true,
  });
  const end = () => killGroup(child.pid);
  const interrupt = (signal) => {
    end();
    endLeftovers(findLeftovers(mark));
    rmSync(folder, { recursive: true, force: true });
    process.exit(128 + constants.signals[signal]);
  };
  for (const signal of SIGNALS) process.on(signal, interrupt);
  let timedOut = false;
  const limit = setTimeout(() => {
    timedOut = true;
    end();
  }, limitMs);
  const code = await new Promise((resolve) => {
    child.once('error', ({ message }) => resolve(message));
    child.once('exit', (value, signal) => resolve(value ?? signal));
  });
  clearTimeout(limit);
  for (const signal of SIGNALS) process.off(signal, interrupt);
  const counts = readCounts(summary);
  const fail = (sentence) => {
    process.stdout.write(`\nFAILED ${sentence}\n`);
    counts.failed += 1;
  };
  if (timedOut) fail(`The tests took longer than ${Math.round(limitMs / 60_000)} min and were ended.`);
  else if (!counts.complete) fail(`vitest ended with ${code} before its tests did.`);
  else if (code !== 0 && counts.failed === 0) fail(`vitest ended with ${code}.`);
  else if (counts.passed + counts.failed + counts.skipped === 0) fail('No test was run.');

  const left = await waitForEnd(mark, timedOut ? 0 : GRACE_MS);
  endLeftovers(left);
  if (left.length > 0 && !timedOut) {
    fail(
      `The tests left processes running:\n${left.map(({ pid, command }) => `  ${pid} ${command}`).join('\n')}`,
    );
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  return { passed: counts.passed, failed: counts.failed, skipped: counts.skipped };
}

function readCounts(path) {
  if (!existsSync(path)) return { passed: 0, failed: 0, skipped: 0, complete: false };
  return JSON.parse(readFileSync(path, 'utf8'));
}

async function waitForEnd(mark, graceMs) {
  const until = Date.now() + graceMs;
  let left = findLeftovers(mark);
  while (left.length > 0 && Date.now() < until) {
    await delay(100);
    left = findLeftovers(mark);
  }
  return left;
}

function killGroup(pid) {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody is left in it.
  }
}
