/** Adds up what the drivers report: for the whole run, for each phase and for each second. */
import type { DriverLink } from '../driver/link.ts';
import type { DriverHealth, Sample } from '../driver/protocol.ts';
import { DurationHistogram } from '../measure/histogram.ts';
import { Measurements } from '../measure/summary.ts';
import { COUNTERS, type Counters, type DurationName, noCounters } from '../measure/tally.ts';
import type { TimelinePoint } from './result.ts';
import type { DriverWatch } from './self-check.ts';

const SECOND_MS = 1_000;

interface DriverState {
  counters: Counters;
  readonly health: DriverHealth[];
  ended: string | undefined;
}

/** A second of all drivers together. */
interface Second {
  readonly measured: Measurements;
  bots: number;
  down: number;
  driverCpu: number;
}

export interface CrowdState {
  readonly bots: number;
  readonly down: number;
}

export class Recorder {
  readonly total = new Measurements();
  readonly #drivers = new Map<DriverLink, DriverState>();
  readonly #seconds: (Second | undefined)[] = [];
  readonly #crowd: () => CrowdState;
  readonly #beganMs: number;
  #phase = new Measurements();
  #crowdState: CrowdState = { bots: 0, down: 0 };

  /**
   * @param beganMs of the run's clock
   * @param crowd who is in at the moment
   */
  constructor(drivers: readonly DriverLink[], beganMs: number, crowd: () => CrowdState) {
    this.#beganMs = beganMs;
    this.#crowd = crowd;
    for (const driver of drivers) {
      const state: DriverState = { counters: noCounters(), health: [], ended: undefined };
      this.#drivers.set(driver, state);
      driver.on('report', (report) => {
        // When the last one comes, all have left.
        if (report.type === 'sample') this.#crowdState = this.#crowd();
        if (report.type === 'sample' || report.type === 'ended') this.#add(state, report.sample);
      });
      driver.on('closed', (reason) => {
        state.ended = reason;
      });
    }
  }

  /** What is measured from now on belongs to a new phase; gives what was measured in the last. */
  startPhase(): Measurements {
    const before = this.#phase;
    this.#phase = new Measurements();
    return before;
  }

  /** The last second that is over, for a live view. */
  get lastPoint(): TimelinePoint | undefined {
    return this.timeline.at(-2);
  }

  get timeline(): TimelinePoint[] {
    return this.#seconds.flatMap((second, index) => (second === undefined ? [] : [pointOf(second, index)]));
  }

  drivers(): DriverWatch[] {
    return [...this.#drivers].map(([{ name, clockErrorMs }, { counters, health, ended }]) => ({
      name,
      clockErrorMs,
      health,
      expected: counters.expected,
      ...(ended === undefined ? {} : { ended }),
    }));
  }

  #add(state: DriverState, { atMs, counters, durations, health }: Sample): void {
    const delta = noCounters();
    for (const name of COUNTERS) delta[name] = counters[name] - state.counters[name];
    state.counters = counters;
    state.health.push(health);
    const decoded = new Map<DurationName, DurationHistogram>();
    for (const [name, text] of Object.entries(durations))
      decoded.set(name as DurationName, DurationHistogram.decode(text));
    const second = this.#secondOf(atMs);
    for (const measured of [this.total, this.#phase, second.measured]) {
      measured.add(delta);
      measured.addDurations(decoded);
    }
    const { bots, down } = this.#crowdState;
    second.bots = bots;
    second.down = Math.max(second.down, down);
    second.driverCpu = Math.max(second.driverCpu, health.cpu);
  }

  #secondOf(atMs: number): Second {
    const index = Math.max(0, Math.floor((atMs - this.#beganMs) / SECOND_MS));
    this.#seconds[index] ??= { measured: new Measurements(), bots: 0, down: 0, driverCpu: 0 };
    return this.#seconds[index];
  }
}

function pointOf({ measured, bots, down, driverCpu }: Second, index: number): TimelinePoint {
  const { counters, durations } = measured;
  const percentile = (name: DurationName, percent: number) => {
    const histogram = durations.get(name);
    return histogram === undefined ? null : histogram.percentileMs(percent);
  };
  const share = (part: number) => (counters.expected > 0 ? part / counters.expected : null);
  return {
    atMs: index * SECOND_MS,
    bots,
    down,
    joins: counters.joinsDone,
    joinsFailed: counters.joinsFailed,
    joinP95Ms: percentile('join', 95),
    latencyP50Ms: percentile('media_latency', 50),
    latencyP99Ms: percentile('media_latency', 99),
    loss: share(counters.lost),
    residualLoss: share(counters.unrepaired),
    bitrate: counters.bytes * 8,
    packets: counters.packets,
    freezes: counters.freezes,
    driverCpu,
  };
}
