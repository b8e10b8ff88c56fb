/** The coordinator of a run: prepares the drivers, sends the bots in, and adds up what they measure. */
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { createMeeting, endMeeting, resolveMeeting, serverUrl } from '../../client/api.ts';
import { MeetError } from '../../protocol/errors.ts';
import { monotonicMs } from '../clock.ts';
import type { DriverLink } from '../driver/link.ts';
import type { DriverSetup } from '../driver/protocol.ts';
import { figuresOf, type Measurements } from '../measure/summary.ts';
import type { Phase, Scenario } from '../scenario/types.ts';
import { Crowd } from './crowd.ts';
import { judgeChecks, judgeThresholds } from './judge.ts';
import { pace } from './pace.ts';
import { Recorder } from './recorder.ts';
import type { PhaseResult, RunResult, TimelinePoint } from './result.ts';
import { selfCheck, summarizeDriver } from './self-check.ts';
import { type ServerLoad, ServerMetrics } from './server-metrics.ts';
import { ServerProbe } from './server-probe.ts';

export interface RunOptions {
  /** A meeting's URL, or a server's, where meetings are then made for the run. */
  readonly url: string;
  readonly password?: string;
  readonly metricsToken?: string;
  readonly scenario: Scenario;
  readonly drivers: readonly DriverLink[];
  readonly ffmpeg?: string;
  /** Ends the run early; what was measured until then is reported. */
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

export interface Progress {
  readonly phase: string;
  readonly elapsedMs: number;
  readonly publishers: number;
  readonly bots: number;
  readonly joining: number;
  readonly down: number;
  readonly away: boolean;
  /** Packets that should have come to the bots so far. */
  readonly expected: number;
  readonly point: TimelinePoint | undefined;
  readonly serverLoad: ServerLoad | undefined;
  readonly errors: readonly { readonly message: string; readonly count: number }[];
}

const PROGRESS_MS = 500;
/** Drivers of other machines have their clocks measured again so often. */
const ALIGN_MS = 30_000;
/** All bots leave at the end; a server that does not answer must not hold up the report. */
const END_PATIENCE_MS = 30_000;

/**
 * Runs a scenario. The drivers are the caller's to close.
 *
 * @throws MeetError `bad-config`, `server-unreachable`, and what a driver could not be prepared for
 */
export async function runLoad(options: RunOptions): Promise<RunResult> {
  const epochMs = Date.now() - monotonicMs();
  await prepare(options, epochMs);
  const target = await openMeetings(options);
  try {
    return await new Run(options, target, epochMs).run();
  } finally {
    await target.close();
  }
}

/** The first driver of a machine encodes the clips, the others find them encoded. */
async function prepare({ scenario, drivers, ffmpeg }: RunOptions, epochMs: number): Promise<void> {
  const { video, audio, media: files, checkOneIn } = scenario;
  const setup: DriverSetup = {
    media: {
      video,
      audio,
      ...(files === undefined ? {} : { files }),
      ...(ffmpeg === undefined ? {} : { ffmpeg }),
    },
    checkOneIn,
  };
  const machine = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')).trim();
  const byMachine = Map.groupBy(drivers, ({ host }) => host);
  await Promise.all(
    [...byMachine.values()].map(async ([first, ...others]) => {
      await first!.prepare(setup, machine, epochMs);
      await Promise.all(others.map((driver) => driver.prepare(setup, machine, epochMs)));
    }),
  );
}

interface Target {
  readonly server: string;
  readonly meetings: readonly string[];
  close(): Promise<void>;
}

async function openMeetings({ url, scenario, password }: RunOptions): Promise<Target> {
  if (/\/meetings\/[^/]+\/?$/.test(url)) {
    if (scenario.meetings > 1) {
      throw new MeetError('bad-config', 'One meeting was given and several are to be held.', {
        hint: "Give the server's URL: meet load makes the meetings itself.",
      });
    }
    return { server: resolveMeeting(url).server, meetings: [url], close: async () => {} };
  }
  const server = serverUrl(url);
  const made: { url: string; id: string; hostToken: string }[] = [];
  const settings = password === undefined ? {} : { settings: { password } };
  for (let count = 1; count <= scenario.meetings; count += 1) {
    const { meeting, hostToken } = await createMeeting(server, { title: `Load ${count}`, ...settings });
    // The server may know itself by another URL than the one that it is reached by from here.
    made.push({ url: `${server}/meetings/${meeting.id}`, id: meeting.id, hostToken });
  }
  return {
    server,
    meetings: made.map((meeting) => meeting.url),
    close: async () => {
      const ends = made.map(({ id, hostToken }) => endMeeting({ server, meetingId: id }, hostToken));
      // A server that has gone has no meetings either.
      await Promise.allSettled(ends);
    },
  };
}

class Run {
  readonly #options: RunOptions;
  readonly #target: Target;
  readonly #crowd: Crowd;
  readonly #recorder: Recorder;
  readonly #probe: ServerProbe;
  readonly #metrics: ServerMetrics;
  readonly #epochMs: number;
  readonly #beganMs = performance.now();
  readonly #startedAt = new Date();
  readonly #phases: PhaseResult[] = [];
  readonly #measured = new Map<string, Measurements>();
  #phase = 'publishers';
  /** Receivers that there should be. */
  #wanted = 0;

  constructor(options: RunOptions, target: Target, epochMs: number) {
    const { scenario, password, drivers, metricsToken } = options;
    this.#options = options;
    this.#target = target;
    this.#epochMs = epochMs;
    this.#crowd = new Crowd({
      scenario,
      drivers,
      meetings: target.meetings,
      ...(password === undefined ? {} : { password }),
    });
    this.#recorder = new Recorder(drivers, monotonicMs() + epochMs, () => ({
      bots: this.#crowd.size,
      down: this.#crowd.down,
    }));
    this.#probe = new ServerProbe(target.server);
    this.#metrics = new ServerMetrics(target.server, metricsToken);
  }

  get #elapsedMs(): number {
    return performance.now() - this.#beganMs;
  }

  async run(): Promise<RunResult> {
    const { signal, drivers } = this.#options;
    const progress = setInterval(() => this.#report(), PROGRESS_MS);
    const align = setInterval(() => {
      for (const driver of drivers) if (driver.clockErrorMs > 0) void driver.alignClock(this.#epochMs);
    }, ALIGN_MS);
    let durationMs: number;
    try {
      await this.#publish();
      // Their joins belong to no phase.
      await this.#sampleAll();
      this.#recorder.startPhase();
      for (const phase of this.#options.scenario.phases) {
        if (signal.aborted || this.#allDriversGone) break;
        await this.#runPhase(phase);
      }
    } finally {
      clearInterval(progress);
      clearInterval(align);
      durationMs = this.#elapsedMs;
      // Bots that leave are no outage of the server's, nor are the meetings that end.
      await Promise.all([this.#probe.close(), this.#metrics.close()]);
      await this.#end();
    }
    return this.#result(durationMs, await this.#probe.close(), await this.#metrics.close());
  }

  get #allDriversGone(): boolean {
    return this.#recorder.drivers().every(({ ended }) => ended !== undefined);
  }

  async #publish(): Promise<void> {
    const { scenario, signal } = this.#options;
    const { publishers, meetings, phases } = scenario;
    const places = Array.from({ length: publishers * meetings }, (_, index) => index);
    await pace({ rate: phases[0]?.ramp ?? 1, times: places.length, signal }, () => {
      const index = places.shift()!;
      this.#crowd.addPublisher(index % meetings, Math.floor(index / meetings));
    });
    await this.#crowd.settled(signal);
    if (publishers > 0 && this.#crowd.size === 0 && !signal.aborted) {
      const [error] = this.#crowd.errors;
      throw new MeetError('server-unreachable', `Nobody could join: ${error?.message ?? 'no bot answered'}`);
    }
  }

  async #runPhase(phase: Phase): Promise<void> {
    const { signal } = this.#options;
    this.#phase = phase.name;
    const fromMs = this.#elapsedMs;
    await this.#resize(phase);
    const over = AbortSignal.any([signal, AbortSignal.timeout(Math.max(1, phase.durationMs))]);
    const churn = pace({ rate: phase.joinLeave, signal: over }, () => {
      const meeting = this.#crowd.removeReceiver();
      if (meeting !== undefined) this.#crowd.addReceiver(meeting);
    });
    const chat = pace({ rate: phase.chat, signal: over }, () => this.#crowd.chat());
    if (phase.durationMs > 0) await delay(phase.durationMs, undefined, { signal: over }).catch(() => {});
    await Promise.all([churn, chat]);
    await this.#sampleAll();
    this.#closePhase(phase, fromMs);
  }

  /** What was measured until now is reported by all drivers. */
  async #sampleAll(): Promise<void> {
    await Promise.all(this.#options.drivers.map((driver) => driver.sample()));
  }

  #closePhase({ name, bots }: Phase, fromMs: number): void {
    const measured = this.#recorder.startPhase();
    const durationMs = this.#elapsedMs - fromMs;
    measured.durationMs = durationMs;
    this.#measured.set(name, measured);
    this.#phases.push({ name, fromMs, durationMs, bots, figures: figuresOf(measured) });
  }

  /** Brings the crowd to the phase's size. */
  async #resize({ bots, ramp }: Phase): Promise<void> {
    const { signal } = this.#options;
    const change = bots - this.#wanted;
    this.#wanted = bots;
    await pace({ rate: ramp, times: Math.abs(change), signal }, () => {
      if (change > 0) this.#crowd.addReceiver();
      else this.#crowd.removeReceiver();
    });
    await this.#crowd.settled(signal);
  }

  async #end(): Promise<void> {
    const patience = new AbortController();
    const ended = Promise.all(
      this.#options.drivers.map(async (driver) => {
        const over = new Promise<void>((resolve) => {
          driver.once('closed', () => resolve());
          driver.on('report', ({ type }) => type === 'ended' && resolve());
        });
        if (driver.closed) return;
        driver.send({ type: 'end' });
        await over;
      }),
    );
    const late = delay(END_PATIENCE_MS, undefined, { signal: patience.signal }).catch(() => {});
    await Promise.race([ended, late]);
    patience.abort();
  }

  #report(): void {
    const { serverLoad, crowd } = { serverLoad: this.#metrics.loads.at(-1), crowd: this.#crowd };
    this.#options.onProgress?.({
      phase: this.#phase,
      elapsedMs: this.#elapsedMs,
      publishers: this.#options.scenario.publishers * this.#target.meetings.length,
      bots: crowd.size,
      joining: crowd.joining,
      down: crowd.down,
      away: this.#probe.away,
      expected: this.#recorder.total.counters.expected,
      point: this.#recorder.lastPoint,
      serverLoad,
      errors: crowd.errors,
    });
  }

  #result(durationMs: number, outages: RunResult['outages'], serverLoad: RunResult['serverLoad']): RunResult {
    const { scenario, url, signal } = this.#options;
    const { total } = this.#recorder;
    total.durationMs = durationMs;
    const watched = this.#recorder.drivers();
    const problems = selfCheck(watched, scenario.maxLagMs);
    const checks = judgeChecks(scenario.checks, this.#crowd.records);
    const measured = { total, phases: this.#measured };
    const thresholds = judgeThresholds(scenario.thresholds, measured, checks);
    const valid = problems.length === 0;
    const histograms = [...total.durations].map(([name, histogram]) => [name, histogram.encode()]);
    return {
      name: scenario.name,
      target: url,
      startedAt: this.#startedAt.toISOString(),
      durationMs,
      scenario: { ...scenario, checks: scenario.checks.map(({ name }) => name) },
      passed: valid && !signal.aborted && thresholds.every(({ passed }) => passed),
      valid,
      problems,
      interrupted: signal.aborted,
      figures: figuresOf(total),
      counters: { ...total.counters },
      histograms: Object.fromEntries(histograms) as Record<string, string>,
      phases: this.#phases,
      thresholds,
      checks,
      outages,
      errors: this.#crowd.errors,
      drivers: watched.map(summarizeDriver),
      serverLoad,
      timeline: this.#recorder.timeline,
    };
  }
}
