/** The scenario of a run: what the file says, and over it what the options say. */
import { readScenario, resolveScenario, type ScenarioFile } from '../../load/index.ts';
import type { Scenario } from '../../load/scenario/types.ts';
import { MeetError } from '../../protocol/errors.ts';
import type { LoadCommandOptions } from '../commands/load.ts';

const FIELDS = [
  'bots',
  'meetings',
  'perMeeting',
  'publishers',
  'video',
  'audio',
  'speakers',
  'layout',
  'maxHeight',
  'media',
  'ramp',
  'duration',
  'joinLeave',
  'chat',
  'check',
  'seed',
  'maxLag',
] as const satisfies readonly (keyof ScenarioFile & keyof LoadCommandOptions)[];

/** @throws MeetError `bad-config` */
export async function scenarioOf(options: LoadCommandOptions): Promise<Scenario> {
  const file = options.scenario === undefined ? {} : await readScenario(options.scenario);
  const given: Record<string, unknown> = {};
  for (const field of FIELDS) if (options[field] !== undefined) given[field] = options[field];
  // Who gives one of them means it in place of the other.
  const { bots: _bots, perMeeting: _perMeeting, ...rest } = file;
  const base = given.bots !== undefined || given.perMeeting !== undefined ? rest : file;
  const thresholds = { ...file.thresholds, ...parseThresholds(options.threshold) };
  return resolveScenario({ ...base, ...given, thresholds } as ScenarioFile);
}

/** `loss<0.5%` is the condition `<0.5%` on `loss`. */
function parseThresholds(texts: readonly string[]): Record<string, string[]> {
  const thresholds: Record<string, string[]> = {};
  for (const text of texts) {
    const match = /^\s*([^<>=!]+?)\s*([<>=!].*)$/.exec(text);
    if (match === null)
      throw new MeetError('bad-config', `The threshold "${text}" cannot be read.`, {
        hint: 'It looks like "loss<0.5%" or "join_p95<2s".',
      });
    const [, metric = '', condition = ''] = match;
    thresholds[metric] = [...(thresholds[metric] ?? []), condition];
  }
  return thresholds;
}
