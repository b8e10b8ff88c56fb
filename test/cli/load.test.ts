import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunResult } from '../../src/load/index.ts';
import { create, type MeetProcess, meet, nothingLeft, run, serve, stopAll } from '../support/meet-process.ts';

const PATIENCE_MS = 120_000;
/** These tests are about what happens, on whatever machine: one that is busy makes no result invalid here. */
const ANY_LAG = ['--max-lag', '1h'];

let folder: string;
let server: MeetProcess;
let url: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'meet-load-'));
  ({ server, url } = await serve(join(folder, 'data')));
}, 60_000);

afterAll(async () => {
  await stopAll();
  await rm(folder, { recursive: true, force: true });
});

const path = (name: string) => join(folder, name);
const resultIn = async (name: string) => JSON.parse(await readFile(path(name), 'utf8')) as RunResult;

test(
  'bots join, receive what is sent, and leave nothing behind',
  async () => {
    const files = ['--json', path('r.json'), '--junit', path('r.xml'), '--html', path('r.html')];
    const load = await run(
      [
        'load',
        url,
        ...ANY_LAG,
        '--bots',
        '4',
        '--publishers',
        '2',
        '--audio',
        '--duration',
        '4s',
        '--workers',
        '2',
        '--check',
        'all',
      ].concat(['--threshold', 'join_p95<20s', '--threshold', 'loss<50%', ...files]),
    );
    expect(load.code, load.stderr + load.stdout).toBe(0);
    expect(load.stdout).toMatch(/PASSED: all 2 thresholds met/);
    const result = await resultIn('r.json');
    expect(result).toMatchObject({ passed: true, valid: true, errors: [] });
    expect(result.figures.joins).toBe(6);
    expect(result.counters).toMatchObject({ joinsFailed: 0, dropped: 0, corrupt: 0, unrepaired: 0 });
    // Four receivers of two videos and two voices.
    const { framesBroken = 0, frames = 0, audioFrames = 0, checked = 0, packets = 0 } = result.counters;
    expect(frames).toBeGreaterThan(4 * 2 * 20);
    expect(framesBroken).toBeLessThan(frames);
    expect(audioFrames).toBeGreaterThan(4 * 2 * 100);
    expect(checked).toBe(packets);
    expect(result.phases.map(({ name }) => name)).toEqual(['ramp-up', 'steady']);
    expect(result.drivers).toHaveLength(2);
    expect(result.serverLoad.length).toBeGreaterThan(0);
    expect(result.timeline.at(-1)!.bots).toBe(6);
    expect(await readFile(path('r.xml'), 'utf8')).toMatch(
      /<testsuite name="meet load" tests="3" failures="0"/,
    );
    expect(await readFile(path('r.html'), 'utf8')).toMatch(/^<!doctype html>/);
    expect(server.stderr).toBe('');
  },
  PATIENCE_MS,
);

test(
  'a threshold that is missed fails the run with 5, and the report says by how much',
  async () => {
    const load = await run(
      [
        'load',
        url,
        ...ANY_LAG,
        '--bots',
        '1',
        '--video',
        'none',
        '--duration',
        '1s',
        '--workers',
        '1',
      ].concat(['--threshold', 'join_p95<1ms', '--threshold', 'joins>=2', '--junit', path('m.xml')]),
    );
    expect(load.code).toBe(5);
    expect(load.stdout).toMatch(/✗ join_p95 was [\d.]+ m?s, and should have been <1ms/);
    expect(load.stdout).toMatch(/✓ joins was 2, as wanted >=2/);
    expect(load.stdout).toMatch(/FAILED: 1 of 2 thresholds missed/);
    expect(await readFile(path('m.xml'), 'utf8')).toMatch(/failures="1"/);
  },
  PATIENCE_MS,
);

test(
  'a scenario file with phases, checks and thresholds of phases',
  async () => {
    await writeFile(
      path('s.yaml'),
      `name: Two phases
meetings: 2
publishers: 1
video: 180p
audio: true
seed: 3
phases:
  - {name: few, duration: 2s, bots: 2}
  - {name: more, duration: 3s, bots: 4, join-leave: 2/s, chat: 5/s}
thresholds:
  'joins{phase:few}': '==2'
  'joins{phase:more}': '>2'
  checks: '==100%'
checks:
  joined: joinMs > 0
`,
    );
    const load = await run([
      'load',
      url,
      ...ANY_LAG,
      '--scenario',
      path('s.yaml'),
      '--json',
      path('s.json'),
      '--workers',
      '1',
    ]);
    expect(load.code, load.stderr + load.stdout).toBe(0);
    const result = await resultIn('s.json');
    expect(result.phases.map(({ name, bots }) => [name, bots])).toEqual([
      ['few', 2],
      ['more', 4],
    ]);
    expect(result.counters.left).toBeGreaterThan(2);
    // Each is heard by the others of its meeting: two, or one more while somebody else comes in another's place.
    const { chatSent = 0, chatReceived = 0, chatFailed } = result.counters;
    expect(chatSent).toBeGreaterThan(5);
    expect(chatReceived).toBeGreaterThan(chatSent);
    expect(chatFailed).toBe(0);
    expect(result.figures.chat_latency_p50).toBeGreaterThan(0);
    expect(result.checks).toEqual([{ name: 'joined', passed: expect.any(Number), failed: 0 }]);
  },
  PATIENCE_MS,
);

test(
  'a given meeting is used and stays; with NDJSON the result is an event',
  async () => {
    const meeting = await create(url, ['--password', 'secret']);
    const args = [
      'load',
      meeting.url,
      ...ANY_LAG,
      '--bots',
      '1',
      '--video',
      'none',
      '--duration',
      '1s',
      '--workers',
      '1',
      '--json',
    ];
    const wrong = await run([...args, '--password', 'wrong']);
    expect(wrong.error?.message).toMatch(/Nobody could join: The password is wrong/i);
    const right = await run([...args, '--password', 'secret']);
    expect(right.code, right.stderr).toBe(0);
    const result = right.all('result')[0]!.result as RunResult;
    expect(result.figures.joins).toBe(2);
    const after = await fetch(`${url}/meetings/${meeting.id}`);
    expect(((await after.json()) as { status: string }).status).not.toBe('ended');
  },
  PATIENCE_MS,
);

test(
  'Ctrl-C ends the run, reports what there is, and nothing is left running',
  async () => {
    const load = meet([
      'load',
      url,
      ...ANY_LAG,
      '--bots',
      '3',
      '--video',
      'none',
      '--duration',
      '10m',
      '--workers',
      '1',
      '--json',
    ]);
    await load.waitFor('progress', undefined, PATIENCE_MS);
    const drivers = load.child;
    expect(await load.stop('SIGINT')).toBe(130);
    expect(load.all('result')).toHaveLength(1);
    expect(drivers.exitCode).toBe(130);
  },
  PATIENCE_MS,
);

describe('several machines', () => {
  test(
    'bots of agents are one run, with one report',
    async () => {
      const agents = [0, 1].map(() =>
        meet(['load-agent', '--json', '--host', '127.0.0.1', '--port', '0', '--secret', 'open sesame']),
      );
      const listening = await Promise.all(agents.map((agent) => agent.waitFor('listening')));
      const hosts = listening.map(({ port }) => `127.0.0.1:${port}`);
      const args = [
        'load',
        url,
        ...ANY_LAG,
        '--hosts',
        hosts.join(),
        '--workers',
        '1',
        '--bots',
        '4',
        '--audio',
        '--duration',
        '3s',
      ];
      const load = await run([...args, '--secret', 'open sesame', '--json', path('h.json')]);
      expect(load.code, load.stderr + load.stdout).toBe(0);
      const result = await resultIn('h.json');
      expect(result.drivers.map(({ name }) => name)).toEqual(hosts.map((host) => `${host} 1`));
      expect(result.figures.joins).toBe(5);
      expect(result.counters.frames).toBeGreaterThan(100);
      // The clocks agree: nothing comes before it is sent, or long after.
      expect(result.figures.media_latency_p50).toBeLessThan(1_000);
      await Promise.all(agents.map((agent) => agent.waitFor('drivers', ({ count }) => count === 0)));

      const refused = await run([...args, '--secret', 'guess', '--json']);
      expect(refused.code).toBe(3);
      expect(refused.error).toMatchObject({ code: 'unauthorized' });
      for (const agent of agents) expect(await agent.stop('SIGTERM')).toBe(0);
      const nobody = await run([...args, '--secret', 'open sesame', '--json']);
      expect(nobody.code).toBe(4);
      expect(nobody.error?.message).toMatch(/No agent answers at 127\.0\.0\.1:\d+: connection refused/);
    },
    PATIENCE_MS,
  );
});

test.each([
  ['http://127.0.0.1:1', [], 4, /No answer from/],
  ['nonsense', [], 2, /not the URL of a server/],
  ['URL', ['--scenario', '/nonexistent.yaml'], 2, /cannot be read/],
  ['URL', ['--threshold', 'los<1%'], 2, /no figure "los"/],
  ['URL', ['--threshold', 'loss'], 2, /cannot be read/],
  ['URL', ['--ramp', 'fast'], 2, /Give a rate/],
  ['URL', ['--bots', '3', '--per-meeting', '3'], 2, /per-meeting/],
  ['URL', ['--media', '/nonexistent.mp4'], 2, /There is no file/],
  ['URL', ['--hosts', 'h1'], 2, /agents want a secret/],
  ['URL', ['--junit', '/nonexistent/r.xml'], 1, /cannot be written/],
])(
  '%s with %j ends with %i',
  async (target, args, code, message) => {
    const load = await run(['load', target === 'URL' ? url : target, '--workers', '1', ...args]);
    expect(load.stderr).toMatch(message);
    expect(load.code).toBe(code);
  },
  PATIENCE_MS,
);

test('no process is left', async () => {
  await server.stop('SIGTERM');
  await nothingLeft();
});
