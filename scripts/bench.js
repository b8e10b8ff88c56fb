/** `npm run bench`: the figures of docs/, measured in one run on this machine. */
import { checkoutNode, inRoot } from './setup/checkout.js';
import { runScript, setUp } from './setup/index.js';
import { launch } from './setup/launch.js';

await runScript(async () => {
  const env = await setUp();
  return launch(checkoutNode, [inRoot('bench', 'main.ts'), ...process.argv.slice(2)], { env });
});
