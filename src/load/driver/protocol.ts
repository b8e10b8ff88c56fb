/** What the coordinator of a run and its drivers, the processes that hold the bots, say to each other. */
import type { ErrorCode } from '../../protocol/errors.ts';
import type { BotView } from '../bot/audience.ts';
import type { BotRecord } from '../bot/figures.ts';
import type { Counters, DurationName } from '../measure/tally.ts';
import type { LoadMedia } from '../media/source.ts';
import type { SpeechPlan } from '../media/speech.ts';

/** One bot that is to join. */
export interface BotPlan {
  readonly id: number;
  readonly name: string;
  readonly meeting: string;
  readonly password?: string;
  readonly view: BotView;
  /** It sends; `index` is its number among those of its meeting. */
  readonly publishes?: { readonly index: number; readonly speech: SpeechPlan };
}

export interface DriverSetup {
  /** Clips are the driver's own where it is told none. */
  readonly media: Omit<LoadMedia, 'cacheDir' | 'files'> & { readonly files?: readonly string[] };
  readonly checkOneIn: number;
}

export type Order =
  /** The first; the driver answers `ready` or `failed`. */
  | { readonly type: 'setup'; readonly setup: DriverSetup }
  /** Asks for the driver's clock; as often as it takes. */
  | { readonly type: 'clock'; readonly id: number }
  /** The run's time minus the driver's monotonic clock, milliseconds. */
  | { readonly type: 'set-clock'; readonly offsetMs: number }
  | { readonly type: 'join'; readonly bot: BotPlan }
  | { readonly type: 'leave'; readonly id: number }
  /** The bot writes a message to everybody. */
  | { readonly type: 'chat'; readonly id: number }
  /** Asks for a sample at once. */
  | { readonly type: 'sample'; readonly id: number }
  /** All bots leave; `ended` follows with the last sample. */
  | { readonly type: 'end' };

/** How the driver itself fares. */
export interface DriverHealth {
  /** Share of one core since the last sample, 0 to 1 and more where other threads work too. */
  readonly cpu: number;
  /** Delay of the event loop since the last sample, milliseconds: 99th percentile and largest. */
  readonly loopDelayP99Ms: number;
  readonly loopDelayMaxMs: number;
  /** Packets that the kernel dropped because this process did not read its sockets in time, so far. */
  readonly socketDrops: number;
  /** Resident memory, bytes. */
  readonly rssBytes: number;
}

export interface Sample {
  /** Of the run's clock. */
  readonly atMs: number;
  /** So far. */
  readonly counters: Counters;
  /** Since the last sample, encoded histograms. */
  readonly durations: Partial<Record<DurationName, string>>;
  readonly health: DriverHealth;
}

export type Report =
  /** `machine` is the same for all processes that share a monotonic clock. */
  | { readonly type: 'ready'; readonly machine: string }
  | { readonly type: 'failed'; readonly code: ErrorCode; readonly message: string; readonly hint?: string }
  | { readonly type: 'clock'; readonly id: number; readonly monotonicMs: number }
  | { readonly type: 'joined'; readonly id: number }
  | { readonly type: 'first-media'; readonly id: number }
  | { readonly type: 'join-failed'; readonly id: number; readonly code: string; readonly message: string }
  | { readonly type: 'down'; readonly id: number; readonly reason: string }
  | { readonly type: 'up'; readonly id: number; readonly ms: number }
  | { readonly type: 'left'; readonly record: BotRecord }
  | { readonly type: 'dropped'; readonly record: BotRecord }
  | { readonly type: 'sample'; readonly id?: number; readonly sample: Sample }
  | { readonly type: 'ended'; readonly sample: Sample };

/** Carries reports to the coordinator, and orders from it. */
export interface ReportChannel {
  send(report: Report): void;
  onOrder(listener: (order: Order) => void): void;
  /** The coordinator is gone. */
  onClosed(listener: () => void): void;
}
