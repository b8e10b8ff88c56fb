/** Runs the steps of the set-up: one short line each, the output in a log that a failure quotes. */
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './checkout.js';

const QUOTED_LINES = 12;

/**
 * A failure that ends the script: its message is the sentence, empty where a program of ours has said it; `log` the
 * lines above it.
 */
export class SetupError extends Error {
  constructor(message, { log = '', exitCode = 1 } = {}) {
    super(message);
    this.log = log;
    this.exitCode = exitCode;
  }
}

/** Shows `label … 12 s` around a piece of work; the seconds are left out where it was instant. */
export async function step(label, work) {
  const startedAt = Date.now();
  const terminal = process.stderr.isTTY;
  if (terminal) process.stderr.write(`${label} …`);
  try {
    const result = await work();
    const seconds = Math.round((Date.now() - startedAt) / 1000);
    process.stderr.write(
      `${terminal ? '\r\x1b[K' : ''}${label} … ${seconds === 0 ? 'done' : `${seconds} s`}\n`,
    );
    return result;
  } catch (error) {
    process.stderr.write(terminal ? '\r\x1b[K' : '');
    throw error;
  }
}

/**
 * Runs a program with its output in a temporary file and rejects with a SetupError when it fails.
 * @param sentence what to say then
 */
export async function run(program, args, sentence, options = {}) {
  const { code, output } = await capture(program, args, options);
  if (code !== 0) throw new SetupError(sentence, { log: lastLines(output) });
  return output;
}

/** Runs a program and gives its exit code and all that it printed. */
export function capture(program, args, { env = process.env, cwd = root } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'meet-setup-'));
  const path = join(folder, 'log');
  // A file and not a pipe: a background process that a program leaves behind cannot keep us waiting.
  const log = openSync(path, 'w');
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', log, log] });
    const finish = (code, extra = '') => {
      closeSync(log);
      const output = readFileSync(path, 'utf8') + extra;
      rmSync(folder, { recursive: true, force: true });
      resolve({ code, output });
    };
    child.once('error', (error) => finish(127, error.message));
    child.once('exit', (code) => finish(code ?? 128));
  });
}

function lastLines(text) {
  return text.trimEnd().split('\n').slice(-QUOTED_LINES).join('\n');
}

export function sayFailure({ log, message }) {
  if (log !== '') process.stderr.write(`${log}\n\n`);
  if (message !== '') process.stderr.write(`${message}\n`);
}

/** Runs a script's main function: a SetupError becomes its sentence, exit code 1 and no stack. */
export async function runScript(main) {
  try {
    process.exitCode = await main();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    sayFailure(error);
    process.exitCode = error.exitCode;
  }
}
