/** Makes dist/ of src/ when a source has changed: declarations by the compiler, the code as a bundle. */
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { checkoutNode, inRoot } from './checkout.js';
import { capture, run, SetupError, step } from './step.js';

const stamp = inRoot('dist', '.meet-build');
const TYPESCRIPT = /\.tsx?$/;

/**
 * @param options.force build even when nothing has changed
 * @param options.tolerant keep going with type errors, for a test run that reports them itself
 */
export async function buildSources({ force = false, tolerant = false } = {}) {
  const sources = filesBelow(inRoot('src'));
  const state = digest(sources);
  if (!force && existsSync(stamp) && readFileSync(stamp, 'utf8') === state) return;
  await step('building', async () => {
    // Emptied, so that nothing imports a file that a fresh clone lacks.
    rmSync(inRoot('dist'), { recursive: true, force: true });
    const tsc = inRoot('node_modules', 'typescript', 'bin', 'tsc');
    const { code, output } = await capture(checkoutNode, [
      tsc,
      '-p',
      'tsconfig.build.json',
      '--pretty',
      'false',
    ]);
    if (code !== 0 && !tolerant) {
      const lines = output.trimEnd().split('\n');
      const more = lines.length > 20 ? `\n… ${lines.length - 20} more lines` : '';
      throw new SetupError('The sources do not compile: mend what is listed above.', {
        log: lines.slice(0, 20).join('\n') + more,
      });
    }
    await run(checkoutNode, [inRoot('scripts', 'setup', 'bundle.js')], 'The sources could not be bundled.');
    copyAssets(sources);
    if (code === 0) writeFileSync(stamp, state);
  });
}

/** Contents and not times: a checkout of another commit and back needs no build. */
function digest(sources) {
  const hash = createHash('sha256');
  for (const name of ['package-lock.json', 'tsconfig.json', 'tsconfig.build.json', 'scripts/setup/bundle.js'])
    hash.update(readFileSync(inRoot(name)));
  for (const name of sources)
    hash
      .update(name)
      .update('\0')
      .update(readFileSync(inRoot('src', name)));
  return hash.digest('hex');
}

function copyAssets(sources) {
  for (const name of sources) {
    if (TYPESCRIPT.test(name)) continue;
    const target = inRoot('dist', name);
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(inRoot('src', name), target);
  }
}

/** Paths of all files below a folder, relative to it, sorted. */
function filesBelow(folder, prefix = '') {
  if (!existsSync(folder)) return [];
  const found = [];
  for (const entry of readdirSync(join(folder, prefix), { withFileTypes: true })) {
    const path = join(prefix, entry.name);
    if (entry.isDirectory()) found.push(...filesBelow(folder, path));
    else found.push(path);
  }
  return found.sort();
}
