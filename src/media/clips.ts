import { join } from 'node:path';
import { PACKAGE_ROOT } from '../package-root.ts';

/** Clips that come with the package: ten seconds of 1280x720 at 30 frames a second with speech, two voices. */
export const CLIPS = [
  join(PACKAGE_ROOT, 'assets', 'alice.mp4'),
  join(PACKAGE_ROOT, 'assets', 'bob.mp4'),
] as const;
