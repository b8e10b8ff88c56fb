import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder of this package, the same from src/, from dist/ and from a bundle's chunk. */
export const PACKAGE_ROOT: string = findRoot();

function findRoot(): string {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    if (packageName(folder) === 'meet') return folder;
    if (dirname(folder) === folder)
      throw new Error('The files of the package "meet" are not where they belong.');
  }
}

function packageName(folder: string): unknown {
  try {
    return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { name?: unknown }).name;
  } catch {
    return undefined;
  }
}
