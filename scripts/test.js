/** `npm test`: set-up, type-check, lint and all tests; the last line has the counts. */
import { checkoutNode, inRoot, root } from './setup/checkout.js';
import { runScript, setUp } from './setup/index.js';
import { capture, SetupError, sayFailure } from './setup/step.js';
import { ensureDistributionPackages } from './test/distribution.js';
import { runVitest } from './test/vitest.js';

/** Far above a whole run on two cores, and short of what a CI job is given, milliseconds. */
const LIMIT_MS = 24 * 60_000;

/** Programs that count as one test each. */
const CHECKS = [
  [
    'type-check',
    checkoutNode,
    [inRoot('node_modules/typescript/bin/tsc'), '--noEmit', '-p', 'tsconfig.json'],
  ],
  ['lint', checkoutNode, [inRoot('node_modules/@biomejs/biome/bin/biome'), 'check', '.']],
];

await runScript(async () => {
  // Type errors are a failed test here, not the end of the run.
  const env = await setUp({ tolerant: true }).catch((error) => {
    if (error instanceof SetupError) return sayFailure(error);
    throw error;
  });
  if (env === undefined) {
    process.stdout.write('\n0 passed, 1 failed, 0 skipped\n');
    return 1;
  }
  await ensureDistributionPackages();
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const [name, program, args] of CHECKS) {
    const { code, output } = await capture(program, args);
    process.stdout.write(code === 0 ? `✓ ${name}\n` : `✗ ${name}\n${output}\n`);
    total[code === 0 ? 'passed' : 'failed'] += 1;
  }
  const counts = await runVitest({
    node: checkoutNode,
    vitest: inRoot('node_modules/vitest/vitest.mjs'),
    cwd: root,
    args: process.argv.slice(2),
    env,
    limitMs: LIMIT_MS,
  });
  for (const state of Object.keys(total)) total[state] += counts[state];
  process.stdout.write(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
  return total.failed > 0 || counts.passed === 0 ? 1 : 0;
});
