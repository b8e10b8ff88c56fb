import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseCondition } from '../../../src/load/scenario/condition.ts';
import { readScenario } from '../../../src/load/scenario/read.ts';
import { resolveScenario } from '../../../src/load/scenario/resolve.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'meet-scenario-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function written(name: string, text: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
}

describe('conditions', () => {
  test.each([
    ['<2000ms', 'ms', 1_999, true],
    ['<2s', 'ms', 2_000, false],
    ['<=2', 'ms', 2, true],
    ['<0.5%', 'share', 0.004, true],
    ['<0.005', 'share', 0.006, false],
    ['>=99%', 'share', 0.99, true],
    ['>1M', 'number', 1_000_001, true],
    ['!= 0', 'number', 0, false],
    ['< 1', 'number', Number.NaN, false],
  ] as const)('%s of %s', (text, unit, value, holds) => {
    expect(parseCondition(text, unit, 'it').holds(value)).toBe(holds);
  });

  test.each([
    ['2000ms', 'ms'],
    ['<', 'ms'],
    ['<5%', 'ms'],
    ['<5ms', 'share'],
    ['<-1', 'number'],
    ['<1e3', 'number'],
  ] as const)('"%s" is none on %s', (text, unit) => {
    expect(() => parseCondition(text, unit, 'It')).toThrow(/^It cannot be/);
  });
});

describe('files', () => {
  test('YAML, with keys as the options are written', async () => {
    const file = await written(
      'crowd.yaml',
      `name: A crowd
publishers: 2
join-leave: 5/s
phases:
  - {name: half, duration: 10s, bots: 50}
  - {name: full, duration: 1m, bots: 100, ramp: 300/m}
thresholds:
  join_p95: '<2s'
  'loss{phase:full}': ['<0.5%', '<1%']
checks:
  has a picture: frames > 0
`,
    );
    const scenario = resolveScenario(await readScenario(file));
    expect(scenario).toMatchObject({
      name: 'A crowd',
      publishers: 2,
      speakers: 2,
      video: '360p',
      audio: false,
    });
    expect(scenario.phases).toEqual([
      { name: 'half', durationMs: 10_000, bots: 50, ramp: 20, joinLeave: 5, chat: 0 },
      { name: 'full', durationMs: 60_000, bots: 100, ramp: 5, joinLeave: 5, chat: 0 },
    ]);
    expect(scenario.thresholds).toEqual([
      { metric: 'join_p95', condition: '<2s' },
      { metric: 'loss', condition: '<0.5%', phase: 'full' },
      { metric: 'loss', condition: '<1%', phase: 'full' },
    ]);
    const [check] = scenario.checks;
    expect(check!.holds({ frames: 3 })).toBe(true);
    expect(check!.holds({ frames: 0 })).toBe(false);
    expect(check!.holds({})).toBe(false);
  });

  test('TypeScript, with checks that are functions', async () => {
    const file = await written(
      'crowd.ts',
      `interface Bot { frames: number; audioFrames: number }
export default {
  bots: 3,
  audio: true,
  checks: { 'sees and hears': (bot: Bot) => bot.frames > 0 && bot.audioFrames > 0 },
};
`,
    );
    const scenario = resolveScenario(await readScenario(file));
    expect(scenario.checks[0]!.holds({ frames: 1, audioFrames: 0 })).toBe(false);
    expect(scenario.checks[0]!.holds({ frames: 1, audioFrames: 1 })).toBe(true);
  });

  test.each([
    ['there is none', undefined, /cannot be read/],
    ['no YAML', 'a: [', /is no YAML/],
    ['unknown.yaml', 'botz: 3', /must not have additional properties|botz/i],
    ['wrong.yaml', 'bots: many', /bots must be/],
  ])('what is wrong is said: %s', async (name, text, message) => {
    const file = text === undefined ? join(folder, 'none.yaml') : await written(`${name}.yaml`, text);
    await expect(readScenario(file)).rejects.toThrow(message);
  });

  test.each([
    [{ thresholds: { jion_p95: '<1s' } }, /no figure "jion_p95"/],
    [{ thresholds: { 'loss{phase:other}': '<1%' } }, /a phase that there is not/],
    [{ thresholds: { loss: '<1s' } }, /threshold loss cannot be/],
    [{ checks: { odd: 'height > 3' } }, /check "odd" cannot be/],
    [{ ramp: 'fast' }, /ramp cannot be/],
    [{ bots: 0, publishers: 0 }, /at least one bot/],
    [
      {
        phases: [
          { name: 'a', duration: 1 },
          { name: 'a', duration: 1 },
        ],
      },
      /Two phases/,
    ],
  ])('%j cannot be used', (file, message) => {
    expect(() => resolveScenario(file)).toThrow(message);
  });
});

test('the crowd of meetings of the same size', () => {
  expect(resolveScenario({ meetings: 4, perMeeting: 25 }).phases.at(-1)!.bots).toBe(100);
  expect(() => resolveScenario({ bots: 4, perMeeting: 25 })).toThrow(/not both/);
});
