/** Whether the tester kept up. If it did not, the figures say as much about it as about the server. */
import type { DriverHealth } from '../driver/protocol.ts';

/** A driver is one thread: at this share of its core it has no room left. */
const CPU_LIMIT = 0.95;
/** Every delay of the event loop is added to each latency, milliseconds. */
export const LOOP_DELAY_LIMIT_MS = 50;
/** A second above a limit is bad luck; more than this share of all seconds is a tester that is too slow. */
const BAD_SHARE = 0.25;
/** Share of the packets that the kernel may drop for a driver: a tenth of the least loss that matters. */
const DROP_LIMIT = 0.0001;
/** A clock that is less certain makes latencies worthless, milliseconds. */
const CLOCK_LIMIT_MS = 10;

/** What was seen of one driver. */
export interface DriverWatch {
  readonly name: string;
  readonly health: readonly DriverHealth[];
  /** Packets it should have received. */
  readonly expected: number;
  readonly clockErrorMs: number;
  /** Why it ended before the run did. */
  readonly ended?: string;
}

export interface DriverSummary {
  readonly name: string;
  /** Mean share of a core, 0 to 1. */
  readonly cpu: number;
  readonly loopDelayP99Ms: number;
  readonly loopDelayMaxMs: number;
  readonly socketDrops: number;
  readonly rssBytes: number;
  readonly clockErrorMs: number;
}

export function summarizeDriver({ name, health, clockErrorMs }: DriverWatch): DriverSummary {
  const max = (of: (one: DriverHealth) => number) => health.reduce((most, one) => Math.max(most, of(one)), 0);
  const sorted = health.map(({ loopDelayP99Ms }) => loopDelayP99Ms).sort((a, b) => a - b);
  return {
    name,
    cpu: health.reduce((sum, { cpu }) => sum + cpu, 0) / Math.max(1, health.length),
    // The median second: one that is not like the others does not make the tester slow.
    loopDelayP99Ms: sorted[Math.floor(sorted.length / 2)] ?? 0,
    loopDelayMaxMs: max((one) => one.loopDelayMaxMs),
    socketDrops: health.at(-1)?.socketDrops ?? 0,
    rssBytes: max((one) => one.rssBytes),
    clockErrorMs,
  };
}

/**
 * What makes the result invalid, as sentences; none where the tester kept up.
 *
 * @param maxLagMs delay of the event loop that is allowed
 */
export function selfCheck(drivers: readonly DriverWatch[], maxLagMs: number = LOOP_DELAY_LIMIT_MS): string[] {
  return drivers.flatMap((driver) => {
    const { name, health, expected, clockErrorMs, ended } = driver;
    const problems: string[] = [];
    if (ended !== undefined) problems.push(`The driver ${name} ended during the run: ${ended}.`);
    const share = (bad: (one: DriverHealth) => boolean) =>
      health.filter(bad).length / Math.max(1, health.length);
    const busy = share(({ cpu }) => cpu > CPU_LIMIT);
    if (busy > BAD_SHARE)
      problems.push(`The driver ${name} used its whole core in ${percent(busy)} of the time.`);
    const late = share(({ loopDelayP99Ms }) => loopDelayP99Ms > maxLagMs);
    if (late > BAD_SHARE) {
      problems.push(
        `The event loop of the driver ${name} was more than ${maxLagMs} ms late in ${percent(late)} of the time.`,
      );
    }
    const drops = health.at(-1)?.socketDrops ?? 0;
    if (drops > expected * DROP_LIMIT) {
      const lost = `${drops} of ${expected} packets`;
      problems.push(
        `The driver ${name} read its sockets too late: the kernel dropped ${lost} in front of it.`,
      );
    }
    if (clockErrorMs > CLOCK_LIMIT_MS) {
      problems.push(`The clock of the driver ${name} is known to ${clockErrorMs.toFixed(1)} ms only.`);
    }
    return problems;
  });
}

const percent = (share: number) => `${Math.round(share * 100)} %`;
