/** `npm run build`: installs packages where they are missing and compiles src/ into dist/. */
import { buildSources, installPackages, runScript } from './setup/index.js';

await runScript(async () => {
  await installPackages();
  await buildSources({ force: true });
  return 0;
});
