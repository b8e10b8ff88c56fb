/** Where things are in a checkout. Plain JavaScript for Node 20: it runs before anything is installed. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** The Node that the checkout brings (devDependency `node`); it is there once the packages are installed. */
export const checkoutNode = join(root, 'node_modules', 'node', 'bin', 'node');

export const inRoot = (...parts) => join(root, ...parts);

/**
 * The environment without the checkout's own `.bin` folders in PATH. npm replaces the folder that the
 * checkout's Node is in, so it must not run on that Node itself.
 */
export function machineEnv() {
  const own = join(root, 'node_modules');
  const path = (process.env.PATH ?? '').split(delimiter).filter((folder) => !folder.startsWith(own));
  return { ...process.env, PATH: path.join(delimiter) };
}

/** The first of `names` that is an executable in the machine's PATH, with its folder. */
export function findProgram(name) {
  for (const folder of machineEnv().PATH.split(delimiter)) {
    const path = join(folder, name);
    if (existsSync(path)) return path;
  }
  return undefined;
}
