import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.{ts,tsx}'],
    globalSetup: ['test/support/global-setup.ts'],
    // Tests start child processes, change their environment and lose native handles when killed: each file
    // has a process of its own.
    pool: 'forks',
    // Two at a time whatever the machine: more media tests side by side would starve each other's timers.
    maxWorkers: 2,
    // Ends what hangs; a machine with much else to do makes tests that encode slow.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Media in real time on a machine that others use too: what fails three times has failed.
    retry: process.env.CI ? 2 : 0,
    // A file that leaves a timer or socket behind must not hold up the run.
    teardownTimeout: 10_000,
    // `npm test` adds the reporter that counts; by hand the tree of test names reads best.
    reporters: ['default'],
    sequence: { hooks: 'stack' },
  },
});
