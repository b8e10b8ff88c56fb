/** `npm start`: from a clone to a running meeting with two participants. */
import { checkoutNode, inRoot } from './setup/checkout.js';
import { runScript, setUp } from './setup/index.js';
import { launch } from './setup/launch.js';

await runScript(async () => {
  const env = await setUp();
  return launch(checkoutNode, [inRoot('bin', 'meet.js'), 'demo', ...process.argv.slice(2)], { env });
});
