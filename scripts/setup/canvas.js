/**
 * `npm run build:canvas`: compiles native/canvas to assets/canvas.wasm, which is kept in the repository, so that neither a
 * build nor an installation from a package needs the compiler.
 */
import { fileURLToPath } from 'node:url';
import { main } from 'assemblyscript/asc';

const root = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Compiles the functions of the canvas.
 *
 * @param target path of the file to write
 */
export async function compileCanvas(target) {
  const { error, stderr } = await main([
    `${root}native/canvas/canvas.ts`,
    '--outFile',
    target,
    '-O3',
    '--noAssert',
    '--runtime',
    'stub',
    '--importMemory',
    '--enable',
    'simd',
  ]);
  if (error) throw new Error(`${error.message}\n${stderr.toString()}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await compileCanvas(`${root}assets/canvas.wasm`);
