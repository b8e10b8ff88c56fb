/**
 * `npm run build:canvas`: compiles native/canvas to assets/canvas.wasm, which is kept in the repository, so that neither a
 * build nor an installation from a package needs the compiler. Another file to write to may be given.
 */
import { fileURLToPath } from 'node:url';
import { main } from 'assemblyscript/asc';

const inRoot = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

const { error, stderr } = await main([
  inRoot('native/canvas/canvas.ts'),
  '--outFile',
  process.argv[2] ?? inRoot('assets/canvas.wasm'),
  '-O3',
  '--noAssert',
  '--runtime',
  'stub',
  '--importMemory',
  '--enable',
  'simd',
]);
if (error) {
  process.stderr.write(`${stderr.toString()}${error.message}\n`);
  process.exitCode = 1;
}
