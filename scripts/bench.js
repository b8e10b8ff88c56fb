/**
 * `npm run bench`: the figures of docs/, measured in one run on this machine. `npm run bench:network`: those of meetings
 * over bad networks. `npm run bench:peers`: our server beside others. `npm run bench:share`: sharing a screen.
 */
import { checkoutNode, inRoot } from './setup/checkout.js';
import { runScript, setUp } from './setup/index.js';
import { launch } from './setup/launch.js';

const [first, ...rest] = process.argv.slice(2);
const script =
  first === 'network' || first === 'peers' || first === 'share'
    ? [inRoot('bench', first, 'main.ts')]
    : [inRoot('bench', 'main.ts'), first];

await runScript(async () => {
  const env = await setUp();
  return launch(checkoutNode, [...script.filter((word) => word !== undefined), ...rest], { env });
});
