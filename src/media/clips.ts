import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Folder of the package: the first above this module that has the clips. The sources are two levels below it, and so is
 * what is built from them; a bundle may be elsewhere.
 */
function assetsFolder(): string {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    const assets = join(folder, 'assets');
    if (existsSync(join(assets, 'alice.mp4'))) return assets;
    if (dirname(folder) === folder) return join(import.meta.dirname, '..', '..', 'assets');
  }
}

const assets = assetsFolder();

/** Clips that come with the package: ten seconds of 1280x720 at 30 frames a second with speech, two voices. */
export const CLIPS = [join(assets, 'alice.mp4'), join(assets, 'bob.mp4')] as const;
