/**
 * vitest reporter of `npm test`: one line a test file and a failure, failures in full at the end, counts in a file.
 * A long run is read while it goes on and from a log, so nothing is redrawn.
 */
import { renameSync, writeFileSync } from 'node:fs';

/** A test that takes this long is named, milliseconds. */
const SLOW_MS = 5000;

export default class SummaryReporter {
  #failures = [];
  #counts = { passed: 0, failed: 0, skipped: 0 };
  #vitest;

  onInit(vitest) {
    this.#vitest = vitest;
    this.#save(false);
  }

  onTestModuleEnd(module) {
    const before = { ...this.#counts };
    const slow = [];
    const failed = [];
    const reasons = new Set();
    for (const test of module.children.allTests()) {
      const { state, note } = test.result();
      this.#counts[state === 'pending' ? 'failed' : state] += 1;
      if (state === 'failed') failed.push(test);
      if (state === 'skipped' && note) reasons.add(note);
      const duration = test.diagnostic()?.duration ?? 0;
      if (duration >= SLOW_MS) slow.push(`${test.name} (${(duration / 1000).toFixed(1)} s)`);
    }
    // A file or a `describe` whose own code or hook failed has an error and no test that shows it.
    for (const suite of [module, ...module.children.allSuites()]) {
      if (suite.errors().length === 0) continue;
      this.#counts.failed += 1;
      failed.push(suite);
    }
    this.#failures.push(...failed);
    this.#print(module, before, { failed, slow, reasons });
    this.#save(false);
  }

  onTestRunEnd(_modules, unhandledErrors) {
    for (const failure of this.#failures) {
      const name = failure.fullName ?? failure.relativeModuleId;
      process.stdout.write(`\nFAILED ${failure.module?.relativeModuleId ?? ''} ${name}\n`);
      for (const error of errorsOf(failure))
        this.#vitest.logger.printError(error, { project: failure.project });
    }
    for (const error of unhandledErrors) {
      process.stdout.write('\nFAILED with an error outside of any test\n');
      this.#vitest.logger.printError(error);
    }
    this.#counts.failed += unhandledErrors.length;
    this.#save(true);
  }

  #print(module, before, { failed, slow, reasons }) {
    const made = (state) => this.#counts[state] - before[state];
    const parts = ['passed', 'failed', 'skipped']
      .filter((state) => made(state) > 0)
      .map((state) => `${made(state)} ${state}`);
    const seconds = ((module.diagnostic()?.duration ?? 0) / 1000).toFixed(1);
    const mark = made('failed') > 0 ? '✗' : made('passed') > 0 ? '✓' : '-';
    process.stdout.write(
      `${mark} ${module.relativeModuleId}  ${parts.join(', ') || 'no tests'}  ${seconds} s\n`,
    );
    for (const failure of failed) {
      const [error] = errorsOf(failure);
      const [sentence] = (error?.message ?? '').split('\n');
      process.stdout.write(`    failed: ${failure.fullName ?? 'the file itself'}: ${sentence}\n`);
    }
    for (const name of slow) process.stdout.write(`    slow: ${name}\n`);
    for (const reason of reasons) process.stdout.write(`    skipped: ${reason}\n`);
  }

  /** Saved after each file, so that a run that is cut off still has the counts so far. */
  #save(complete) {
    const path = process.env.MEET_TEST_SUMMARY;
    if (path === undefined) return;
    writeFileSync(`${path}.new`, JSON.stringify({ ...this.#counts, complete }));
    renameSync(`${path}.new`, path);
  }
}

/** Of a test, or of a file or `describe` whose own code failed. */
function errorsOf(failure) {
  return failure.type === 'test' ? failure.result().errors : failure.errors();
}
