/** The report for CI systems: each threshold and each check is a test case. */
import { XMLBuilder } from 'fast-xml-parser';
import type { RunResult } from '../run/result.ts';
import { thresholdName, thresholdSentence } from './sentences.ts';

interface TestCase {
  readonly '@name': string;
  readonly '@classname': string;
  readonly failure?: { readonly '@message': string };
  readonly error?: { readonly '@message': string };
  readonly 'system-out'?: string;
}

/** JUnit XML as Jenkins' schema has it. */
export function junitReport(result: RunResult): string {
  const classname = `${result.name}.thresholds`;
  const thresholds = result.thresholds.map((threshold): TestCase => {
    const sentence = thresholdSentence(threshold);
    return {
      '@name': `${thresholdName(threshold)} ${threshold.condition}`,
      '@classname': classname,
      ...(threshold.passed ? { 'system-out': sentence } : { failure: { '@message': sentence } }),
    };
  });
  const checks = result.checks.map(
    ({ name, passed, failed }): TestCase => ({
      '@name': name,
      '@classname': `${result.name}.checks`,
      'system-out': `${passed} of ${passed + failed} bots`,
    }),
  );
  // A result that says nothing about the server is neither passed nor failed.
  const tester: TestCase = {
    '@name': 'the tester keeps up',
    '@classname': `${result.name}.tester`,
    ...(result.valid ? {} : { error: { '@message': result.problems.join(' ') } }),
  };
  const cases = [tester, ...thresholds, ...checks];
  const suite = {
    '@name': result.name,
    '@tests': cases.length,
    '@failures': cases.filter(({ failure }) => failure !== undefined).length,
    '@errors': cases.filter(({ error }) => error !== undefined).length,
    '@time': (result.durationMs / 1_000).toFixed(3),
    '@timestamp': result.startedAt,
    testcase: cases,
  };
  const builder = new XMLBuilder({
    attributeNamePrefix: '@',
    ignoreAttributes: false,
    suppressEmptyNode: true,
    format: true,
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n${builder.build({ testsuites: { testsuite: suite } })}`;
}
