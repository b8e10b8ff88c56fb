/**
 * Bundles src/ into dist/, for the time a command takes to start: `meet join` loads some 400 small modules, most of
 * them of typebox and undici, and reading them one by one took 225 ms of the 270 ms before the first request; as a
 * handful of chunks they take 50 ms. Packages that only a server or a screen needs stay outside, and so do those that
 * look for files of their own.
 */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const ENTRIES = ['index', 'protocol/index', 'cli/main', 'setup/index'];
const BUNDLED = ['commander', 'env-paths', 'sdp-transform', 'typebox', 'undici', 'ws'];

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The package of an import, `undefined` for a path. */
function packageOf(id) {
  if (/^[./]|^\w:/.test(id)) return undefined;
  const [scope, name] = id.split('/');
  return scope.startsWith('@') ? `${scope}/${name}` : scope;
}

/** What a bundled package imports is bundled with it. */
function isExternal(id, importer) {
  const name = packageOf(id);
  if (name === undefined || BUNDLED.includes(name)) return false;
  // Optional speed-ups of ws, absent here.
  if (name === 'bufferutil' || name === 'utf-8-validate' || id.startsWith('node:')) return true;
  return !BUNDLED.some((bundled) => importer?.includes(`/node_modules/${bundled}/`));
}

const entries = ENTRIES.filter((name) => existsSync(join(root, 'src', `${name}.ts`)));
const bundle = await rolldown({
  cwd: root,
  input: Object.fromEntries(entries.map((name) => [name, join(root, 'src', `${name}.ts`)])),
  platform: 'node',
  external: isExternal,
  tsconfig: join(root, 'tsconfig.json'),
});
rmSync(join(root, 'dist', 'chunks'), { recursive: true, force: true });
await bundle.write({
  dir: join(root, 'dist'),
  format: 'esm',
  sourcemap: true,
  chunkFileNames: 'chunks/[name]-[hash].js',
});
await bundle.close();
