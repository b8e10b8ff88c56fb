/** Checks of a scenario: conditions on each bot. */
import { MeetError } from '../../protocol/errors.ts';
import { parseCondition, type Unit } from './condition.ts';
import type { Check } from './types.ts';

/** What a check may ask about a bot, and in which unit. */
export const BOT_FIGURES: Readonly<Record<string, Unit>> = {
  joinMs: 'ms',
  firstMediaMs: 'ms',
  packets: 'number',
  bytes: 'number',
  lost: 'number',
  unrepaired: 'number',
  frames: 'number',
  framesBroken: 'number',
  audioFrames: 'number',
  freezes: 'number',
  frozenMs: 'ms',
  watchedMs: 'ms',
  corrupt: 'number',
  reconnects: 'number',
  sentPackets: 'number',
  chatReceived: 'number',
};

/**
 * @param check a function of the bot's figures, or text such as `frames > 0`
 * @throws MeetError `bad-config`
 */
export function readCheck(name: string, check: unknown): Check {
  if (typeof check === 'function') {
    return { name, holds: (bot) => Boolean((check as (bot: unknown) => unknown)(bot)) };
  }
  const match = typeof check === 'string' ? /^\s*(\w+)\s*([<>=!].*)$/.exec(check) : null;
  const figure = match?.[1] ?? '';
  const unit = BOT_FIGURES[figure];
  if (match === null || unit === undefined) {
    throw new MeetError('bad-config', `The check "${name}" cannot be ${JSON.stringify(check)}.`, {
      hint: `Write it as "frames > 0"; figures are ${Object.keys(BOT_FIGURES).join(', ')}.`,
    });
  }
  const condition = parseCondition(match[2]!, unit, `The check "${name}"`);
  return {
    name,
    holds: (bot) => {
      const value = bot[figure];
      return typeof value === 'number' && condition.holds(value);
    },
  };
}
