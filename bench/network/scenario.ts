import type { Figure, Say } from '../harness/figure.ts';
import type { Recording } from './recording.ts';

export interface ScenarioOptions {
  /** Shortened steps: to see that it works, not to judge by. */
  readonly quick: boolean;
  readonly say: Say;
  /** Puts what a participant received into a file, where that was asked for. */
  readonly keep: (name: string, recording: Recording) => Promise<void>;
}

/** One run of participants over links of its own. */
export interface Scenario {
  readonly name: string;
  /** What it measures, one line for the table. */
  readonly title: string;
  readonly run: (options: ScenarioOptions) => Promise<Figure[]>;
}
