import { XMLParser } from 'fast-xml-parser';
import { describe, expect, test } from 'vitest';
import { htmlReport } from '../../../src/load/report/html.ts';
import { junitReport } from '../../../src/load/report/junit.ts';
import { tableReport } from '../../../src/load/report/table.ts';
import type { RunResult } from '../../../src/load/run/result.ts';

const result: RunResult = {
  name: 'Friday <b>"crowd"</b> & co',
  target: 'http://127.0.0.1:8080',
  startedAt: '2030-05-01T10:00:00.000Z',
  durationMs: 12_345,
  scenario: {
    name: 'crowd',
    meetings: 1,
    publishers: 1,
    speakers: 1,
    video: '360p',
    audio: true,
    checkOneIn: 50,
    seed: 1,
    maxLagMs: 50,
    phases: [],
    thresholds: [],
    checks: ['has </script> picture'],
  },
  passed: false,
  valid: true,
  problems: [],
  interrupted: false,
  figures: { loss: 0.0123, join_p50: 120, join_p95: 1_500, media_latency_p99: 42.5, bitrate: 12_340_000 },
  counters: {},
  histograms: {},
  phases: [],
  thresholds: [
    { metric: 'join_p95', condition: '<2s', unit: 'ms', value: 1_500, passed: true },
    { metric: 'loss', condition: '<0.5%', phase: 'steady', unit: 'share', value: 0.0123, passed: false },
    { metric: 'first_media_p95', condition: '<1s', unit: 'ms', value: null, passed: false },
  ],
  checks: [{ name: 'has </script> picture', passed: 9, failed: 1 }],
  outages: [{ fromMs: 4_000, ms: 2_345, kind: 'refused', reason: 'connection refused', lasting: false }],
  errors: [{ code: 'rate-limited', message: 'Too many requests.', count: 3 }],
  drivers: [
    {
      name: '1',
      cpu: 0.42,
      loopDelayP99Ms: 3.21,
      loopDelayMaxMs: 20,
      socketDrops: 0,
      rssBytes: 123_400_000,
      clockErrorMs: 0,
    },
  ],
  serverLoad: [{ atMs: 2_000, workerCpu: 0.5, processCpu: 0.25, rssBytes: 2e8, participants: 11 }],
  timeline: [
    {
      atMs: 0,
      bots: 10,
      down: 0,
      joins: 10,
      joinsFailed: 0,
      joinP95Ms: 120,
      latencyP50Ms: 2,
      latencyP99Ms: 9,
      loss: 0.01,
      residualLoss: 0,
      bitrate: 1e6,
      packets: 100,
      freezes: 0,
      driverCpu: 0.4,
    },
  ],
};
const invalid: RunResult = {
  ...result,
  valid: false,
  problems: ['The driver 1 used its whole core in 50 % of the time.'],
};

describe('the table', () => {
  const text = tableReport(result);
  test.each([
    /^loss +1\.23 %$/m,
    /^join +120 ms +– +1\.5 s/m,
    /✓ join_p95 was 1\.5 s, as wanted <2s/,
    /✗ loss\{phase:steady\} was 1\.23 %, and should have been <0\.5%/,
    /✗ first_media_p95 was never measured/,
    /✗ has <\/script> picture: 9 of 10 bots/,
    /The server was away for 2\.35 s, 4 s after the start \(connection refused\)\./,
    /workers 50 %, own process 25 % of a core/,
    /3 × Too many requests\./,
    /1: 42 % of a core, event loop 3\.21 ms late/,
    /FAILED: 2 of 3 thresholds missed$/,
  ])('has %s', (line) => {
    expect(text).toMatch(line);
  });

  test('says of a tester that was too slow that the figures are no verdict', () => {
    expect(tableReport(invalid)).toMatch(/INVALID: the tester was the bottleneck/);
    expect(tableReport(invalid)).not.toMatch(/FAILED/);
  });
});

describe('JUnit', () => {
  const read = (one: RunResult) => {
    const parser = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: '@' });
    return parser.parse(junitReport(one)).testsuites.testsuite;
  };

  test('has a test case for each threshold and check, and says what failed', () => {
    const suite = read(result);
    expect(suite).toMatchObject({
      '@name': result.name,
      '@tests': '5',
      '@failures': '2',
      '@errors': '0',
      '@time': '12.345',
    });
    const [, join, loss, first] = suite.testcase;
    expect(join['@name']).toBe('join_p95 <2s');
    expect(join.failure).toBeUndefined();
    expect(loss.failure['@message']).toMatch(/was 1\.23 %/);
    expect(first.failure['@message']).toMatch(/never measured/);
  });

  test('a tester that was too slow is an error, and no failure of the server', () => {
    const suite = read(invalid);
    expect(suite['@errors']).toBe('1');
    expect(suite.testcase[0].error['@message']).toMatch(/whole core/);
  });
});

describe('the page', () => {
  test('needs nothing but itself, and nothing of the run is taken for HTML', async () => {
    const page = await htmlReport(result);
    expect(page).not.toMatch(/<(?:script|link|img)[^>]+(?:src|href)=/);
    expect(page).toContain('Friday &lt;b&gt;&quot;crowd&quot;&lt;/b&gt; &amp; co: FAILED');
    expect(page).not.toContain('<b>"crowd"');
    expect(page).not.toContain('has </script>');
    expect(page.match(/<script>/g)).toHaveLength(2);
    expect(page).toContain('"title":"Load of the server"');
  });
});
