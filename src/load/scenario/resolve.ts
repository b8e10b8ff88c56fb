/** A scenario out of what a file and the options say. */
import { MeetError } from '../../protocol/errors.ts';
import { LOOP_DELAY_LIMIT_MS } from '../run/self-check.ts';
import { readCheck } from './checks.ts';
import { readThresholds } from './thresholds.ts';
import type { Phase, Scenario, ScenarioFile } from './types.ts';
import { durationOf, rateOf } from './values.ts';

const DEFAULTS = { bots: 10, publishers: 1, ramp: 20, durationMs: 30_000, checkOneIn: 50, seed: 1 } as const;

/**
 * Fills in what is not said.
 *
 * @throws MeetError `bad-config`
 */
export function resolveScenario(file: ScenarioFile): Scenario {
  const meetings = file.meetings ?? 1;
  const bots = receivers(file, meetings);
  const publishers = file.publishers ?? DEFAULTS.publishers;
  const video = file.video ?? '360p';
  const audio = file.audio ?? file.video === 'none';
  const speakers = Math.min(file.speakers ?? publishers, publishers);
  const phases = resolvePhases(file, bots);
  if (publishers === 0 && bots === 0) throw new MeetError('bad-config', 'A run needs at least one bot.');
  const checks = Object.entries(file.checks ?? {}).map(([name, check]) => readCheck(name, check));
  return {
    name: file.name ?? 'meet load',
    meetings,
    publishers,
    speakers,
    video,
    audio,
    ...(file.layout === undefined ? {} : { layout: file.layout }),
    ...(file.maxHeight === undefined ? {} : { maxHeight: file.maxHeight }),
    ...(file.media === undefined ? {} : { media: file.media }),
    checkOneIn: file.check === 'all' ? 1 : (file.check ?? DEFAULTS.checkOneIn),
    seed: file.seed ?? DEFAULTS.seed,
    maxLagMs: file.maxLag === undefined ? LOOP_DELAY_LIMIT_MS : durationOf(file.maxLag, "The tester's lag"),
    phases,
    thresholds: readThresholds(file.thresholds ?? {}, phases),
    checks,
  };
}

function receivers({ bots, perMeeting }: ScenarioFile, meetings: number): number {
  if (bots !== undefined && perMeeting !== undefined) {
    throw new MeetError('bad-config', 'Give the number of bots or how many there are per meeting, not both.');
  }
  return perMeeting === undefined ? (bots ?? DEFAULTS.bots) : perMeeting * meetings;
}

function resolvePhases(file: ScenarioFile, bots: number): Phase[] {
  const ramp = file.ramp === undefined ? DEFAULTS.ramp : rateOf(file.ramp, 'The ramp');
  const common = {
    ramp,
    joinLeave: file.joinLeave === undefined ? 0 : rateOf(file.joinLeave, 'The rate of joins and leaves'),
    chat: file.chat === undefined ? 0 : rateOf(file.chat, 'The rate of messages'),
  };
  if (ramp <= 0) throw new MeetError('bad-config', 'The ramp has to be more than 0/s.');
  if (file.phases === undefined) {
    const durationMs =
      file.duration === undefined ? DEFAULTS.durationMs : durationOf(file.duration, 'The duration');
    // What the joins do to the figures stays out of those of the run itself.
    return [
      { name: 'ramp-up', durationMs: 0, bots, ...common, joinLeave: 0, chat: 0 },
      { name: 'steady', durationMs, bots, ...common },
    ];
  }
  let crowd = bots;
  const names = new Set<string>();
  return file.phases.map((phase, index) => {
    const name = phase.name ?? `phase ${index + 1}`;
    if (names.has(name)) throw new MeetError('bad-config', `Two phases have the name "${name}".`);
    names.add(name);
    crowd = phase.bots ?? crowd;
    const what = (part: string) => `${part} of the phase "${name}"`;
    return {
      name,
      durationMs: durationOf(phase.duration, what('The duration')),
      bots: crowd,
      ramp: phase.ramp === undefined ? common.ramp : rateOf(phase.ramp, what('The ramp')) || common.ramp,
      joinLeave:
        phase.joinLeave === undefined
          ? common.joinLeave
          : rateOf(phase.joinLeave, what('The join-leave rate')),
      chat: phase.chat === undefined ? common.chat : rateOf(phase.chat, what('The chat rate')),
    };
  });
}
