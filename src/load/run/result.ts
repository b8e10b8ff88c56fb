/** What comes out of a run; `--json` writes exactly this. Times are milliseconds, shares 0 to 1. */
import type { Check, Scenario } from '../scenario/types.ts';
import type { CrowdError } from './crowd.ts';
import type { DriverSummary } from './self-check.ts';
import type { ServerLoad } from './server-metrics.ts';
import type { Outage } from './server-probe.ts';

/** One second of the run. */
export interface TimelinePoint {
  readonly atMs: number;
  /** In a meeting at its end, and whose connection was broken. */
  readonly bots: number;
  readonly down: number;
  readonly joins: number;
  readonly joinsFailed: number;
  readonly joinP95Ms: number | null;
  readonly latencyP50Ms: number | null;
  readonly latencyP99Ms: number | null;
  readonly loss: number | null;
  readonly residualLoss: number | null;
  /** Bits a second received by all. */
  readonly bitrate: number;
  readonly packets: number;
  readonly freezes: number;
  /** Share of a core of the busiest driver. */
  readonly driverCpu: number;
}

export interface ThresholdResult {
  readonly metric: string;
  readonly condition: string;
  readonly phase?: string;
  /** `null` where it was never measured, which meets nothing. */
  readonly value: number | null;
  readonly unit: 'ms' | 'share' | 'number';
  readonly passed: boolean;
}

export interface CheckResult {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
}

export interface PhaseResult {
  readonly name: string;
  readonly fromMs: number;
  readonly durationMs: number;
  readonly bots: number;
  readonly figures: Readonly<Record<string, number>>;
}

export interface RunResult {
  readonly name: string;
  readonly target: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly durationMs: number;
  readonly scenario: Omit<Scenario, 'checks'> & { readonly checks: readonly Check['name'][] };
  /** All thresholds are met, the tester kept up, and nothing cut the run short. */
  readonly passed: boolean;
  /** The tester kept up: the figures are the server's. */
  readonly valid: boolean;
  /** Why they are not, as sentences. */
  readonly problems: readonly string[];
  readonly interrupted: boolean;
  /** Of the whole run, by the names that thresholds use. */
  readonly figures: Readonly<Record<string, number>>;
  readonly counters: Readonly<Record<string, number>>;
  /** HdrHistograms of the whole run, V2 compressed, base64; microseconds. */
  readonly histograms: Readonly<Record<string, string>>;
  readonly phases: readonly PhaseResult[];
  readonly thresholds: readonly ThresholdResult[];
  readonly checks: readonly CheckResult[];
  readonly outages: readonly Outage[];
  readonly errors: readonly CrowdError[];
  readonly drivers: readonly DriverSummary[];
  readonly serverLoad: readonly ServerLoad[];
  readonly timeline: readonly TimelinePoint[];
}
